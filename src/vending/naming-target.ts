import { VendError } from '../errors.ts'

/** Asks for a session. The log line of a failure also names the target; callers do not learn of it. */
export async function namingTarget<T>(target: string, ask: () => T | Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    if (!(error instanceof VendError) || error.log?.upstream === undefined) throw error
    const { code, detail, errors, retryAfterSeconds, log, logLevel, cause } = error
    throw new VendError(code, {
      log: { ...log, target },
      cause,
      ...(detail !== undefined && { detail }),
      ...(errors && { errors }),
      ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
      ...(logLevel === 'info' && { logLevel }),
    })
  }
}
