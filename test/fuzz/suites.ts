import { filterConfig } from "./filter-config.ts";
import { loads } from "./loads.ts";
import { requests } from "./requests.ts";
import type { Suite } from "./suite.ts";
import { tenants } from "./tenants.ts";
import { tenantsLab } from "./tenants-lab.ts";

/** All suites, in the order in which they run. */
export const SUITES: readonly Suite[] = [filterConfig, tenants, tenantsLab, requests, loads];
