/** The words of a text, however its lines are broken: for long lists of names. */
export function words(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}
