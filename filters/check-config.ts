import { forgetAnswers, noteGarbage } from "../assembly/index";
import { Guards } from "./auth/guards";
import { readConfig } from "./read-config";
import { Budgets } from "./retry/budget";

/** What the last check said, in UTF-8; the host reads it. */
let said = new ArrayBuffer(0);

/**
 * For the agent, which asks it in a host of its own before it publishes a configuration: would the module take these bytes?
 * They are in memory from `malloc`. Answers the number of bytes that say why not, at `check_answer`; 0: it would.
 */
export function check_configuration(start: usize, size: usize): usize {
  const read = readConfig(start, size);
  const config = read.config;
  if (config !== null) {
    // What the places make of it.
    new Guards(config);
    new Budgets(config);
  }
  said = String.UTF8.encode(read.error);
  forgetAnswers();
  noteGarbage(size);
  __collect();
  return said.byteLength;
}

export function check_answer(): usize {
  return changetype<usize>(said);
}
