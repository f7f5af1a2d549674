/** The exit code of a process that was configured wrongly: EX_CONFIG of sysexits.h. */
export const EX_CONFIG = 78

/** One thing that is wrong. Never carries the value, which may be a secret. */
export type ConfigFault = Readonly<{ variable: string; rule: string; remedy: string }>

/** Takes one fault: the variable (with the place inside a file), the rule, the remedy. Never a value. */
export type ReportFault = (variable: string, rule: string, remedy: string) => void

/** All that is wrong with the configuration, told at once. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly faults: readonly ConfigFault[]

  constructor(faults: readonly ConfigFault[]) {
    const lines = faults.map(({ variable, rule, remedy }) => `  ${variable}: ${rule} (${remedy})`)
    super(['The configuration cannot be used:', ...lines].join('\n'))
    this.faults = faults
  }
}
