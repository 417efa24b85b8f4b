/** One token of JSON, or the white space between two. */
const token = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]|[^\s{}[\],:"]+|\s+/gu;

/** What {@link rewriteJson} does to a text. */
export interface JsonRewrite {
  /** White space as JSON.stringify puts it with this indent; without it every byte stays where it is. */
  readonly indent?: number;
  /** Whether the value of a member is to be replaced. */
  readonly hides: (key: string) => boolean;
  /** What stands in its place, as JSON. */
  readonly placeholder: string;
}

/**
 * Rewrites JSON as text and not by way of its values, so that numbers keep all their digits, members their order and
 * strings their spelling. A hidden value is replaced as a whole, also an object; `null` stays, for it hides nothing.
 *
 * @param text valid JSON
 */
export function rewriteJson(text: string, rewrite: JsonRewrite): string {
  const tokens = text.match(token) ?? [];
  const written = rewrite.indent === undefined ? tokens : tokens.filter((part) => part.trim() !== '');
  return new Rewriter(written, rewrite).value(0);
}

class Rewriter {
  readonly #tokens: readonly string[];
  readonly #rewrite: JsonRewrite;
  #at = 0;

  constructor(tokens: readonly string[], rewrite: JsonRewrite) {
    this.#tokens = tokens;
    this.#rewrite = rewrite;
  }

  /** One value and the white space around it. */
  value(depth: number): string {
    const before = this.#space();
    const part = this.#take();
    const body = part === '{' || part === '[' ? part + this.#members(part === '{', depth + 1) : part;
    return before + body + this.#space();
  }

  /** What stands between an opening bracket and its closing one, and that. */
  #members(named: boolean, depth: number): string {
    let out = this.#space();
    if (isClosing(this.#peek())) return out + this.#take();
    while (true) {
      out += this.#line(depth) + (named ? this.#member(depth) : this.value(depth));
      const part = this.#take();
      if (isClosing(part)) return out + this.#line(depth - 1) + part;
      out += part;
    }
  }

  #member(depth: number): string {
    const before = this.#space();
    const key = this.#take();
    const colon = this.#space() + this.#take() + (this.#rewrite.indent === undefined ? '' : ' ');
    const value = this.value(depth);
    const hidden = this.#rewrite.hides(JSON.parse(key)) && value.trim() !== 'null';
    return before + key + colon + (hidden ? value.replace(value.trim(), () => this.#rewrite.placeholder) : value);
  }

  #line(depth: number): string {
    return this.#rewrite.indent === undefined ? '' : `\n${' '.repeat(this.#rewrite.indent * depth)}`;
  }

  #space(): string {
    return this.#peek().trim() === '' ? this.#take() : '';
  }

  #peek(): string {
    return this.#tokens[this.#at] ?? '';
  }

  #take(): string {
    const part = this.#peek();
    this.#at += 1;
    return part;
  }
}

function isClosing(part: string): boolean {
  return part === '}' || part === ']';
}
