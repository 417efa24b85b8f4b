/** Colours of Grafana's dark theme by the names that dashboards use, and those of series in their order. */
export const named: Readonly<Record<string, string>> = {
  green: '#73bf69',
  yellow: '#fade2a',
  blue: '#5794f2',
  orange: '#ff9830',
  red: '#f2495c',
  purple: '#b877d9',
};
const ofSeries = [...Object.values(named), '#37872d', '#e0b400', '#1f60c4', '#c4162a'];

/** The class number of a series by its place. */
export const colourOf = (index: number): number => index % ofSeries.length;

export const style = `
  text { font-family: Inter, ui-sans-serif, system-ui, "DejaVu Sans", sans-serif; fill: #ccccdc }
  .paper { fill: #111217 } .panel { fill: #181b1f; stroke: #2a2d33 } .title { font-weight: 500 } .quiet { fill: #8e8e99 }
  .on-light { fill: #111217; font-weight: 500 } .on-dark { fill: #fff; font-weight: 500 } .grid { stroke: #26292f; stroke-width: 1 }
${ofSeries.map((colour, index) => `  .line${index} { stroke: ${colour}; fill: none; stroke-width: 1.5 } .area${index} { fill: ${colour}; fill-opacity: 0.1 } .fill${index} { fill: ${colour} }`).join('\n')}
${Object.entries(named)
  .map(([name, colour]) => `  .${name} { fill: ${colour} }`)
  .join('\n')}`;
