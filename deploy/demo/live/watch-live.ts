import { setTimeout as sleep } from "node:timers/promises";
import type { Controls } from "../shop/controls.ts";
import type { DemoLab } from "../shop/demo-lab.ts";
import { castOf, Measures } from "../shop/measures.ts";
import { render } from "./render.ts";
import { Screen } from "./screen.ts";
import { takeSnapshot, type Snapshot } from "./take-snapshot.ts";
import { countContainers, viewOf } from "./view.ts";

const REDRAW_MS = 1000;
/** Rates are averages over this many redraws. */
const WINDOW = 6;

/** Shows the live screen until somebody presses `q`, or `signal` aborts. */
export async function watchLive(lab: DemoLab, controls: Controls, signal: AbortSignal): Promise<void> {
  const status = await lab.status();
  const cast = castOf(status);
  const measures = new Measures(controls, cast);
  const state = { enrolled: false, failing: false, containers: countContainers(status, "shop") };
  const stop = new AbortController();
  const ended = AbortSignal.any([signal, stop.signal]);
  let trouble: unknown;
  let busy = Promise.resolve();

  /** Handles one key after the other, since enrolling takes a moment. */
  const queue = (action: () => Promise<void>): void => {
    busy = busy.then(action).catch((error: unknown) => {
      trouble = error;
      stop.abort();
    });
  };
  const setEnrolled = async (on: boolean): Promise<void> => {
    await (on ? lab.enroll("shop") : lab.unenroll("shop"));
    state.enrolled = on;
  };
  const setFailing = async (on: boolean): Promise<void> => {
    await measures.failEvery(on ? 1 : 5);
    state.failing = on;
  };
  const screen = new Screen(process.stdout, process.stdin, (key) => {
    if (key === "q") stop.abort();
    if (key === "e") queue(() => setEnrolled(!state.enrolled));
    if (key === "f") queue(() => setFailing(!state.failing));
  });

  screen.open();
  try {
    const history: Snapshot[] = [];
    for (let round = 0; !ended.aborted; round += 1) {
      history.push(await takeSnapshot(status.nodes, controls, cast));
      if (history.length > WINDOW) history.shift();
      const [earliest, latest] = [history[0], history.at(-1)];
      if (earliest !== undefined && latest !== undefined) screen.draw(render(viewOf(earliest, latest, state)));
      // By now the screen has shown that one call in five fails. The shop joins without a key.
      if (round === WINDOW) queue(() => setEnrolled(true));
      await sleep(REDRAW_MS, undefined, { signal: ended }).catch(() => undefined); // `ended` has cut the wait short.
    }
  } finally {
    screen.close();
    await busy;
  }
  if (trouble !== undefined) throw trouble;
}
