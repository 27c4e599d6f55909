import { addToCounter, counterNamed, noteGarbage } from "../../assembly/index";

/** Has counts that Envoy does not have yet. */
let waiting: Series | null = null;

/** Bytes for "." and the name of a figure. */
const FIGURE_ROOM: i32 = 32;

/** Series by name. Many edges may share one: pods come and go, and their workload stays. */
const all = new Map<string, Series>();

/**
 * Figures of one combination of labels. The module adds them up, and once a second increments Envoy's counters, which all
 * workers share. A host call for each figure of each request would cost more than everything else.
 */
export class Series {
  private readonly figures: StaticArray<u64>;
  /** Ids of Envoy's counters, plus one; 0: there is none yet. */
  private readonly counters: StaticArray<u32>;
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
    this.counters = new StaticArray<u32>(figureNames.length);
  }

  add(figure: i32, by: u64): void {
    this.figures[figure] += by;
    if (this.isWaiting) return;
    this.isWaiting = true;
    this.next = waiting;
    waiting = this;
  }

  private tell(): void {
    let room: ArrayBuffer | null = null;
    for (let i = 0; i < this.figures.length; i++) {
      if (this.figures[i] == 0) continue;
      if (this.counters[i] == 0) {
        if (room === null) room = this.nameRoom();
        this.counters[i] = this.define(room, this.figureNames[i]) + 1;
      }
      addToCounter(this.counters[i] - 1, this.figures[i]);
      this.figures[i] = 0;
    }
  }

  /**
   * The name in UTF-8, with room for that of a figure. Thousands of series may be told at once, and garbage stays until the end
   * of the callback, so their counters do not each have a name of their own.
   */
  private nameRoom(): ArrayBuffer {
    const room = new ArrayBuffer(String.UTF8.byteLength(this.name) + FIGURE_ROOM);
    noteGarbage(<usize>room.byteLength);
    String.UTF8.encodeUnsafe(changetype<usize>(this.name), this.name.length, changetype<usize>(room));
    return room;
  }

  private define(room: ArrayBuffer, figure: string): u32 {
    const start = changetype<usize>(room);
    const dot = start + <usize>(room.byteLength - FIGURE_ROOM);
    store<u8>(dot, 0x2e);
    const size = String.UTF8.encodeUnsafe(changetype<usize>(figure), figure.length, dot + 1);
    return counterNamed(start, dot + 1 + size - start);
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
