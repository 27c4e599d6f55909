/** What the workers of one VM share: each write makes a new version, and may ask for the one it has read. */
export class SharedData {
  readonly #values = new Map<string, { readonly bytes: Uint8Array; readonly cas: number }>();
  #versions = 0;

  get(key: string): { readonly bytes: Uint8Array; readonly cas: number } | undefined {
    return this.#values.get(key);
  }

  set(key: string, bytes: Uint8Array, cas: number): boolean {
    const known = this.#values.get(key);
    if (cas !== 0 && known !== undefined && known.cas !== cas) return false;
    this.#values.set(key, { bytes, cas: ++this.#versions });
    return true;
  }
}
