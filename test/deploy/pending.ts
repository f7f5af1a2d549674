/**
 * TEMPORARY: metrics (with their labels) and settings that deploy/ names and that other parts of the product bring.
 * Remove each when the service has it, and then this file.
 */
export const PENDING_SETTINGS: readonly string[] = ['AUDIT_LOG', 'JDCLOUD_KEY_CREATED']

export const PENDING_METRICS: Readonly<Record<string, readonly string[]>> = {
  oss_vend_http_request_seconds: ['method', 'route', 'status'],
  oss_vend_vends_total: ['policy', 'outcome'],
  oss_vend_vends_running: [],
  oss_vend_cache_evictions_total: [],
  oss_vend_next_expiry_seconds: [],
  oss_vend_sts_key_age_seconds: ['target'],
  oss_vend_policies_info: ['version'],
  oss_vend_ready: [],
  oss_vend_audit_events_total: ['outcome'],
  oss_vend_audit_lost_total: [],
  oss_vend_denied_total: ['by'],
  oss_vend_deny_entries: ['source'],
  oss_vend_deny_stale: [],
}
