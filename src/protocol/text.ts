/** The text, or as much of its beginning as `longest` characters hold together with the sign that there was more. */
export function cut(text: string, longest: number): string {
  // A cut between the halves of a character would leave one that stands for nothing.
  return text.length <= longest ? text : `${text.slice(0, longest - 1).toWellFormed()}…`;
}

/** What an error says of itself. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
