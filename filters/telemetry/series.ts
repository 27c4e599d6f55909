import { Counter } from "../../assembly/index";

/** Has counted something that Envoy has not been told yet. */
let waiting: Series | null = null;

/**
 * Figures of one combination of labels. They are added up here, and told to Envoy once a second as increments of counters
 * that all workers share: a call of the host for each figure of each request would cost more than all the rest.
 */
export class Series {
  private readonly figures: StaticArray<u64>;
  private readonly counters: StaticArray<Counter | null>;
  private isWaiting: bool = false;
  private next: Series | null = null;

  constructor(
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
