/** Pieces of SVG, without a library. Colours come from classes, so that a plot follows the reader's light or dark theme. */

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface TextStyle {
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly className?: string;
  readonly size?: number;
  /** Degrees around the point. */
  readonly turn?: number;
}

/** Colours that can be told apart by readers who see no red or no green (Okabe and Ito), figd first. */
const colours = ['#0072b2', '#56b4e9', '#e69f00', '#009e73', '#cc79a7', '#d55e00', '#8a8a8a'];

const plotStyle = `
  text { font-family: ui-sans-serif, system-ui, "DejaVu Sans", sans-serif; fill: #24292f }
  .paper { fill: #fbfbfa } .quiet { fill: #656d76 } .title { font-weight: 600 }
  .grid { stroke: #e3e6e8; stroke-width: 1 } .axis { stroke: #8c959f; stroke-width: 1 }
  .target { stroke: #b3261e; stroke-width: 1.5; stroke-dasharray: 6 4 }
${colours.map((colour, index) => `  .fill${index} { fill: ${colour} } .line${index} { stroke: ${colour}; fill: none; stroke-width: 2 }`).join('\n')}
  @media (prefers-color-scheme: dark) {
    text { fill: #e6e8ea } .paper { fill: #16191d } .quiet { fill: #9aa4ae }
    .grid { stroke: #2b3138 } .axis { stroke: #6b7680 } .target { stroke: #ff8a80 }
  }`;

/** Escapes what has a meaning in XML. */
export function escapeXml(text: string): string {
  return text.replace(
    /[&<>"]/g,
    (found) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[found] ?? found,
  );
}

/** A number for an attribute: at most two decimals. @throws {RangeError} where it is none */
export function coordinate(value: number): string {
  if (!Number.isFinite(value)) throw new RangeError(`${value} is not a coordinate`);
  return String(Math.round(value * 100) / 100);
}

/** A whole drawing with a title and a line that says what is shown. @param style what its classes look like */
export function drawing(
  size: { readonly width: number; readonly height: number },
  { title, subtitle }: { readonly title: string; readonly subtitle: string },
  parts: readonly string[],
  style = plotStyle,
): string {
  const { width, height } = size;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escapeXml(title)}</title>`,
    `<style>${style}\n</style>`,
    `<rect class="paper" width="${width}" height="${height}" rx="8"/>`,
    text({ x: 24, y: 34 }, title, { className: 'title', size: 17 }),
    text({ x: 24, y: 55 }, subtitle, { className: 'quiet', size: 12 }),
    ...parts,
    '</svg>\n',
  ].join('\n');
}

export function text(
  at: Point,
  words: string,
  { anchor = 'start', className, size = 12, turn }: TextStyle = {},
): string {
  const named = className === undefined ? '' : ` class="${className}"`;
  const turned = turn === undefined ? '' : ` transform="rotate(${turn} ${coordinate(at.x)} ${coordinate(at.y)})"`;
  return `<text x="${coordinate(at.x)}" y="${coordinate(at.y)}" text-anchor="${anchor}" font-size="${size}"${named}${turned}>${escapeXml(words)}</text>`;
}

export function line(from: Point, to: Point, className: string): string {
  return `<line x1="${coordinate(from.x)}" y1="${coordinate(from.y)}" x2="${coordinate(to.x)}" y2="${coordinate(to.y)}" class="${className}"/>`;
}

/** A bar from a corner on; never thinner than one can see. */
export function bar(at: Point, width: number, height: number, className: string): string {
  return `<rect x="${coordinate(at.x)}" y="${coordinate(at.y)}" width="${coordinate(Math.max(1, width))}" height="${coordinate(height)}" rx="2" class="${className}"/>`;
}

export function dot(at: Point, radius: number, className: string): string {
  return `<circle cx="${coordinate(at.x)}" cy="${coordinate(at.y)}" r="${radius}" class="${className}"/>`;
}

export function path(points: readonly Point[], className: string): string {
  const steps = points.map(({ x, y }, index) => `${index === 0 ? 'M' : 'L'}${coordinate(x)} ${coordinate(y)}`);
  return `<path d="${steps.join('')}" class="${className}"/>`;
}
