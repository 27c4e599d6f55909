/** How much a suite does: a number of random inputs, or minutes of them. */
export type Size = { readonly count: number } | { readonly minutes: number };

/** One thing that `npm run fuzz` attacks. A suite is a file of this folder, and a line of `suites.ts`. */
export interface Suite {
  readonly name: string;
  /** One line of the help. */
  readonly summary: string;
  readonly size: Size;
  /** What `--quick` makes of it. */
  readonly quick: Size;
  run(options: FuzzOptions): Promise<FuzzResult>;
}

export interface FuzzOptions {
  /** The same seed gives the same input. */
  readonly seed: number;
  /** Of a suite whose size is a number of inputs; else 0. */
  readonly count: number;
  /** Of a suite whose size is a time; else 0. */
  readonly minutes: number;
  /** Shows a text in place of the last one, where somebody watches. */
  readonly progress: (text: string) => void;
}

export interface FuzzResult {
  /** What was done and measured, in the order in which it is printed. */
  readonly figures: Readonly<Record<string, number | string>>;
  /** What must not be: each a text that says how to see it again. Empty: the suite has passed. */
  readonly failures: readonly string[];
}
