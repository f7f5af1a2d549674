/** The exit code for a wrong configuration: EX_CONFIG of sysexits.h. */
export const EX_CONFIG = 78

/** One fault. It never contains the value, which may be a secret. */
export type ConfigFault = Readonly<{ variable: string; rule: string; remedy: string }>

/** Receives one fault: the variable (with the place in a file), the rule, the remedy. Never a value. */
export type ReportFault = (variable: string, rule: string, remedy: string) => void

/** All faults of the configuration. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly faults: readonly ConfigFault[]

  constructor(faults: readonly ConfigFault[]) {
    const lines = faults.map(({ variable, rule, remedy }) => `  ${variable}: ${rule} (${remedy})`)
    super(['The configuration cannot be used:', ...lines].join('\n'))
    this.faults = faults
  }
}
