/** Reads a query string, and collects what is wrong with it in words for its sender. */
export class Query {
  readonly parameters: URLSearchParams;
  readonly problems: string[] = [];

  /** @param path with its query */
  constructor(path: string) {
    this.parameters = new URLSearchParams(path.split('?', 2)[1]);
  }

  /** A whole number within these bounds, both inclusive; `fallback` without the parameter, or with a wrong one. */
  number<Fallback>(name: string, low: number, high: number, fallback: Fallback): number | Fallback {
    const text = this.parameters.get(name);
    if (text === null) return fallback;
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= low && value <= high) return value;
    this.problems.push(`${name} must be an integer from ${low} to ${high}`);
    return fallback;
  }
}
