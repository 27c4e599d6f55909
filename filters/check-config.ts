import { forgetAnswers } from "../assembly/index";
import { Guards } from "./auth/guards";
import { Condition, FilterConfig } from "./config";
import { readConfig } from "./read-config";

/** What the last check said, in UTF-8; the host reads it. */
let said = new ArrayBuffer(0);
let hash: u32 = 0;

/**
 * For who wants to know, in a host of their own, whether the module would take a configuration. Its bytes are in memory from
 * `malloc`. Answers how many bytes, at `check_answer`, say why not; 0: it would.
 */
export function check_configuration(start: usize, size: usize): usize {
  const read = readConfig(start, size);
  const config = read.config;
  hash = 0;
  if (config !== null) {
    new Guards(config);
    note(config);
  }
  said = String.UTF8.encode(read.error);
  forgetAnswers();
  __collect();
  return said.byteLength;
}

export function check_answer(): usize {
  return changetype<usize>(said);
}

/** A hash of the policies and guarded pods that the last check has read: it shows whether one is missing. */
export function check_hash(): u32 {
  return hash;
}

function note(config: FilterConfig): void {
  for (let i = 0; i < config.policySets.length; i++) {
    const set = config.policySets[i];
    noteText(set.id);
    for (let j = 0; j < set.policies.length; j++) {
      const policy = set.policies[j];
      noteText(policy.name);
      noteText(policy.action);
      noteCode((policy.dryRun ? 2 : 0) + (policy.alwaysDeny ? 1 : 0));
      for (let k = 0; k < policy.rules.length; k++) {
        noteAlternatives(policy.rules[k].from);
        noteAlternatives(policy.rules[k].to);
        noteConditions(policy.rules[k].when);
      }
      noteCode(policy.rules.length);
    }
    noteCode(set.policies.length);
    noteTexts(set.jwtRules);
  }
  for (let i = 0; i < config.pods.length; i++) {
    noteText(config.pods[i].uid);
    noteText(config.pods[i].policySet);
  }
  noteTexts(config.unguarded);
}

function noteAlternatives(alternatives: Condition[][]): void {
  for (let i = 0; i < alternatives.length; i++) noteConditions(alternatives[i]);
  noteCode(alternatives.length);
}

function noteConditions(conditions: Condition[]): void {
  for (let i = 0; i < conditions.length; i++) {
    noteText(conditions[i].attribute);
    noteTexts(conditions[i].path);
    noteTexts(conditions[i].values);
    noteTexts(conditions[i].notValues);
  }
  noteCode(conditions.length);
}

function noteTexts(texts: string[]): void {
  for (let i = 0; i < texts.length; i++) noteText(texts[i]);
  noteCode(texts.length);
}

function noteText(text: string): void {
  for (let i = 0; i < text.length; i++) noteCode(text.charCodeAt(i));
  noteCode(text.length);
}

/** FNV-1a. */
function noteCode(code: u32): void {
  hash = (hash ^ code) * 16777619;
}
