export {
  accountsOf,
  type GatewayAccounts,
  type GatewayEntry,
  type GatewayUser,
  type SignIn,
} from './accounts.js';
export { environmentAccount, readAccounts, type ReadAccounts, type WrongAccount } from './accounts-file.js';
export {
  watchAccounts,
  type AccountsNews,
  type WatchedAccounts,
  type WatchOptions,
} from './accounts-watch.js';
export type { GatewayEvent, UpstreamOperation } from './events.js';
export { createFront, type Front, type FrontOptions, type ServedRequest } from './front.js';
export { createGateway, type Gateway, type GatewayOptions, type GatewayStatus } from './gateway.js';
export { healthHandler, type HealthOptions, type Readiness } from './health.js';
export { createLog, type GatewayLog, type LogOptions } from './log.js';
export { createMetrics, type GatewayMetrics, type MetricsOptions } from './metrics.js';
export { hashPassword } from './password.js';
export type { Purged, PurgeOptions, Retention } from './retention.js';
export type { UpstreamState } from './upstream.js';
export { GATEWAY_WARNINGS, type GatewayWarning } from './warnings.js';
