/**
 * Which of the resources sent a refusal is about; none where that cannot be told. Envoy's CDS and LDS judge each resource
 * by itself and list those that failed: `Error adding/updating listener(s) a: reason\nb: reason`. A name that merely
 * occurs in a reason is not to blame.
 */
export function blamedIn(message: string, sent: readonly string[]): readonly string[] {
  if (sent.length === 1) return sent;
  const list = /^Error adding\/updating (?:cluster|listener)\(s\) (.*)$/su.exec(message)?.[1];
  if (list === undefined) return [];
  return sent.filter(
    (name) => list.startsWith(`${name}: `) || list.includes(`\n${name}: `) || list.includes(`, ${name}: `),
  );
}
