import { Counter, noteGarbage } from "../../assembly/index";

/** Has counts that Envoy does not have yet. */
let waiting: Series | null = null;

/** Series by name. Many edges may share one: pods come and go, and their workload stays. */
const all = new Map<string, Series>();

/**
 * Figures of one combination of labels. The module adds them up, and once a second increments Envoy's counters, which all
 * workers share. A host call for each figure of each request would cost more than everything else.
 */
export class Series {
  private readonly figures: StaticArray<u64>;
  private readonly counters: StaticArray<Counter | null>;
  private isWaiting: bool = false;
  private next: Series | null = null;

  /** The series of a name and labels; null if it is not there yet. */
  static find(name: string): Series | null {
    // The parts of the name in UTF-16, and the name itself if it was known.
    noteGarbage(<usize>name.length * 8);
    return all.has(name) ? all.get(name) : null;
  }

  /** Makes it. Their number has a limit (series-budget.ts). */
  static make(name: string, figureNames: string[]): Series {
    const series = new Series(name, figureNames);
    all.set(name, series);
    return series;
  }

  constructor(
    /** Name and labels. */
    private readonly name: string,
    /** Names of the figures, after the last "." of the counter's name: Envoy stores the text before it only once. */
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

  /** Sends all waiting counts to Envoy. */
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
