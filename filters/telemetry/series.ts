import { Counter, noteGarbage } from "../../assembly/index";

/** Has counted something that Envoy has not been told yet. */
let waiting: Series | null = null;

/** By name. Many edges may have one: pods come and go, and their workload stays. */
const all = new Map<string, Series>();

/**
 * Figures of one combination of labels. They are added up here, and told to Envoy once a second as increments of counters
 * that all workers share: a call of the host for each figure of each request would cost more than all the rest.
 */
export class Series {
  private readonly figures: StaticArray<u64>;
  private readonly counters: StaticArray<Counter | null>;
  private isWaiting: bool = false;
  private next: Series | null = null;

  /** The one of a name and labels; made if it is not there yet. */
  static of(name: string, figureNames: string[]): Series {
    // What the name has been made of, in UTF-16, and the name itself where it was known.
    noteGarbage(<usize>name.length * 8);
    if (all.has(name)) return all.get(name);
    const series = new Series(name, figureNames);
    all.set(name, series);
    return series;
  }

  /** Those that edges have are kept by them, and what they have counted waits to be told. */
  static forgetAll(): void {
    all.clear();
  }

  private constructor(
    /** Name and labels. */
    private readonly name: string,
    /** What each figure is called, behind the last "." of the counter's name: Envoy keeps what is before it only once. */
    private readonly figureNames: string[],
  ) {
    this.figures = new StaticArray<u64>(figureNames.length);
    this.counters = new StaticArray<Counter | null>(figureNames.length);
  }

  add(figure: i32, by: u64): void {
    this.figures[figure] += by;
    if (this.isWaiting) return;
    this.isWaiting = true;
    this.next = waiting;
    waiting = this;
  }

  private tell(): void {
    for (let i = 0; i < this.figures.length; i++) {
      if (this.figures[i] == 0) continue;
      let counter = this.counters[i];
      if (counter === null) {
        counter = new Counter(this.name + "." + this.figureNames[i]);
        noteGarbage(<usize>this.name.length * 3);
        this.counters[i] = counter;
      }
      counter.add(this.figures[i]);
      this.figures[i] = 0;
    }
  }

  /** Tells Envoy of everything that is waiting. */
  static flush(): void {
    let series = waiting;
    waiting = null;
    while (series !== null) {
      series.tell();
      const next = series.next;
      series.next = null;
      series.isWaiting = false;
      series = next;
    }
  }
}
