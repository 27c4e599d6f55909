/** The certificates in a PEM text, each with a newline at its end. */
export function splitPem(text: string): readonly string[] {
  const found = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/gu) ?? [];
  return found.map((pem) => `${pem}\n`);
}
