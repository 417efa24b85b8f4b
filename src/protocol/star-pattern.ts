/**
 * The test of a pattern in which `*` stands for any run of characters, none included, and everything else for itself.
 *
 * It walks the parts between the stars, which is linear in the text: a regular expression made from a stranger's pattern
 * could take for ever.
 */
export function starPattern(pattern: string): (text: string) => boolean {
  const parts = pattern.split('*');
  const [first = '', ...rest] = parts;
  const last = rest.pop();
  if (last === undefined) return (text) => text === pattern;
  return (text) => {
    if (!text.startsWith(first)) return false;
    let at = first.length;
    for (const part of rest) {
      const found = text.indexOf(part, at);
      if (found === -1) return false;
      at = found + part.length;
    }
    return text.length - last.length >= at && text.endsWith(last);
  };
}
