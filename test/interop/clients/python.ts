import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { skipWithout } from './client.ts'
import type { World } from './world.ts'

/** The Python that has test/interop/requirements.txt. */
export const PYTHON = process.env.INTEROP_PYTHON ?? 'python3'
export const skip = skipWithout(PYTHON, '-c', 'import boto3, awscli')

/** The environment that Python needs, the certificates to trust among it. */
export const pythonEnv = ({ sandbox }: World) => ({
  AWS_CA_BUNDLE: sandbox.caFile,
  PYTHONPATH: join(import.meta.dirname, 'trust'),
  PYTHONDONTWRITEBYTECODE: '1',
  ...(process.env.PYENV_ROOT && { PYENV_ROOT: process.env.PYENV_ROOT }),
})

/** A PATH whose `aws` is this Python's. */
export async function awsOnPath({ directory, env }: World) {
  const bin = join(directory, 'bin')
  await mkdir(bin)
  await writeFile(join(bin, 'aws'), `#!/bin/sh\nexec ${PYTHON} -m awscli "$@"\n`)
  await chmod(join(bin, 'aws'), 0o755)
  return { PATH: `${bin}:${env.PATH}` }
}
