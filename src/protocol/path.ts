/** The path of a request target, without its query: what is compared, and all that a log may tell. */
export function pathOf(target: string): string {
  const [path = ''] = target.split('?', 1);
  return path;
}
