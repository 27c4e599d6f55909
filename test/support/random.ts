import * as fc from "fast-check";

/**
 * fast-check with a fixed seed: a change is judged by what it does, not by what was drawn. To look for more, give another
 * one: `AMBIT_SEED=$RANDOM npm test`.
 */
fc.configureGlobal({ seed: Number(process.env["AMBIT_SEED"] ?? 1) });

export { fc };
