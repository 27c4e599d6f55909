import { Key, noteGarbage, propertyNumber, propertyText, stream_context } from "../../assembly/index";
import { Budget, Budgets, Grant } from "./budget";

const ROUTE_RETRY = Key.path(["xds", "route_metadata", "filter_metadata", "ambit", "retry"]);
const ATTEMPTS = Key.path(["upstream", "request_attempt_count"]);
const MAX_RETRIES = new Key("x-envoy-max-retries");

/** The retries of one request: takes tokens from the budget and gives unused ones back. */
export class RequestRetries {
  constructor(
    private readonly budget: Budget,
    private readonly grant: Grant,
  ) {}

  /** At the end of the request. */
  settle(): void {
    const tries = <u32>propertyNumber(ATTEMPTS);
    const used = tries > 1 ? min(tries - 1, this.grant.tokens) : 0;
    this.budget.giveBack(this.grant, this.grant.tokens - used);
    if (used > 0) this.budget.retries.increment(used);
  }
}

/** If the request's route asks for retries, tells the router how often it may try again. */
export function allowRetries(budgets: Budgets): RequestRetries | null {
  const wish = propertyText(ROUTE_RETRY);
  const bar = wish.lastIndexOf("|");
  if (bar < 0) return null;
  const attempts = <u32>parseInt(wish.substring(bar + 1), 10);
  const budget = budgets.of(wish.substring(0, bar));
  const grant = budget.take(attempts);
  noteGarbage(2048);
  stream_context.headers.request.set(MAX_RETRIES, grant.tokens.toString());
  if (grant.tokens < attempts) budget.exhausted.increment();
  return new RequestRetries(budget, grant);
}
