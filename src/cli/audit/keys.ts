import { type Environment, readEnvironment } from '../../config/environment.ts'
import { CommandError } from '../io.ts'

/**
 * The keys of the audit, from the variables of the service or from the files that they name.
 * @throws {CommandError} for a key that the service would refuse as well
 */
export function auditKeys(env: Environment): Readonly<{ chain: readonly Buffer[]; subject: readonly Buffer[] }> {
  const faults: string[] = []
  const { values } = readEnvironment(
    env,
    (variable, rule, remedy) => faults.push(`${variable}: ${rule} (${remedy})`),
    (name) => name.startsWith('AUDIT_'),
  )
  if (faults.length > 0) throw new CommandError(faults.join('\n'), 2)
  return { chain: values.AUDIT_CHAIN_KEY ?? [], subject: values.AUDIT_SUBJECT_KEY ?? [] }
}
