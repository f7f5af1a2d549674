import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'

const PROGRAMS = ['ceph-mon', 'ceph-osd', 'radosgw', 'radosgw-admin', 'ceph', 'monmaptool'].map(
  (name) => `/usr/bin/${name}`,
)
/** Elsewhere than in CI, their absence is no failure. */
const there = process.env.REQUIRE_INTEROP !== undefined || PROGRAMS.every((path) => existsSync(path))
export const skip = there ? false : 'Ceph is missing: apt-get install ceph-mon ceph-osd radosgw ceph-common'

export type Keys = Readonly<{ accessKey: string; secretKey: string }>

/** A Ceph of one node, whose S3 and STS are at one loopback address. */
export type Rgw = Readonly<{
  endpoint: string
  bucket: string
  roleArn: string
  /** May do everything. Objects that sessions write belong to `iam`, so this one reads them. */
  admin: Keys
  /** May assume the role and nothing else. */
  iam: Keys
  /** Runs `radosgw-admin`. */
  command(...args: string[]): Promise<string>
  /** Ends the gateway alone, as a crash does. */
  kill(): Promise<void>
  stop(): Promise<void>
}>

const run = promisify(execFile)
const BUCKET = 'test-app'
const keysOf = (name: string): Keys => ({
  accessKey: `${name.toUpperCase()}${randomUUID().slice(0, 8)}`,
  secretKey: randomUUID(),
})

/**
 * Starts one from nothing, in memory. `minSessionSeconds` under 900 is for tests that wait for an expiration.
 * @throws when it is not up within a minute
 */
export async function startRgw({ minSessionSeconds = 900 } = {}): Promise<Rgw> {
  const directory = await mkdtemp(join(tmpdir(), 'oss-vend-ceph-'))
  const [monPort, port] = [await freePort(), await freePort()]
  const fsid = randomUUID()
  const conf = join(directory, 'ceph.conf')
  const at = (path: string) => join(directory, path)
  for (const folder of ['mon', 'osd', 'rgw', 'crash']) await mkdir(at(folder))
  await writeFile(conf, configuration({ directory, fsid, monPort, port, minSessionSeconds }))
  const env = { PATH: process.env.PATH, LC_ALL: 'C.UTF-8', CEPH_CONF: conf, HOME: directory }
  const ask = async (program: string, ...args: string[]) => {
    const { stdout } = await run(`/usr/bin/${program}`, args, { env, timeout: 60_000 }).catch((error: unknown) => {
      throw new Error(`${program} ${args.join(' ')}: ${String(error).slice(0, 1000)}`)
    })
    return stdout
  }

  const daemons: ChildProcess[] = []
  const start = (program: string, ...args: string[]) => {
    const daemon = spawn(`/usr/bin/${program}`, ['-f', ...args], { env, stdio: 'ignore' })
    daemons.unshift(daemon)
    return daemon
  }
  const endAll = () => {
    for (const daemon of daemons) daemon.kill('SIGKILL')
  }
  process.once('exit', endAll)
  const stop = async () => {
    process.off('exit', endAll)
    await Promise.all(daemons.map(end))
    await rm(directory, { recursive: true, force: true })
  }

  try {
    await ask('monmaptool', '--create', '--fsid', fsid, '--addv', 'a', `[v2:127.0.0.1:${monPort}]`, at('monmap'))
    await ask('ceph-mon', '--mkfs', '-i', 'a', '--monmap', at('monmap'))
    start('ceph-mon', '-i', 'a')
    await until('the monitor', () => ask('ceph', '--connect-timeout', '3', 'mon', 'stat'))
    const disk = randomUUID()
    await ask('ceph', 'osd', 'new', disk, '0')
    await ask('ceph-osd', '-i', '0', '--mkfs', '--osd-uuid', disk)
    start('ceph-osd', '-i', '0')
    await until('the disk', async () => (await ask('ceph', 'osd', 'stat', '-f', 'json')).includes('"num_up_osds":1'))
    const gateway = start('radosgw', '-n', 'client.rgw')
    const endpoint = `http://127.0.0.1:${port}`
    await until('the gateway', async () => (await fetch(endpoint)).ok)

    const command = (...args: string[]) => ask('radosgw-admin', ...args)
    const createUser = async (name: string, ...more: string[]) => {
      const { accessKey, secretKey } = keysOf(name)
      const keys = [`--access-key=${accessKey}`, `--secret-key=${secretKey}`]
      await command('user', 'create', `--uid=${name}`, `--display-name=${name}`, ...keys, ...more)
      return { accessKey, secretKey }
    }
    const admin = await createUser('admin', '--admin')
    const iam = await createUser('test-iam')
    const trust = statement({ Principal: { AWS: ['arn:aws:iam:::user/test-iam'] }, Action: ['sts:AssumeRole'] })
    await command('role', 'create', '--role-name=test-role', `--assume-role-policy-doc=${trust}`)
    // All that templates can give, so that it is the session policy that refuses.
    const all = statement({ Action: ['s3:*'], Resource: [`arn:aws:s3:::${BUCKET}`, `arn:aws:s3:::${BUCKET}/*`] })
    await command('role-policy', 'put', '--role-name=test-role', '--policy-name=all', `--policy-doc=${all}`)
    const roleArn = 'arn:aws:iam:::role/test-role'
    return { endpoint, bucket: BUCKET, roleArn, admin, iam, command, kill: () => end(gateway), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

const statement = (parts: object) =>
  JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', ...parts }] })

/** Ends a process that was started here, if it still runs. */
async function end(daemon: ChildProcess): Promise<void> {
  if (daemon.exitCode !== null || daemon.signalCode !== null) return
  const gone = new Promise((resolve) => daemon.once('exit', resolve))
  daemon.kill('SIGKILL')
  await gone
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('not listening on a port')
  return address.port
}

/** Ceph says to nobody when it is ready. */
async function until(what: string, ready: () => Promise<unknown>): Promise<void> {
  const end = Date.now() + 60_000
  for (;;) {
    const outcome = await ready().catch(() => false)
    if (outcome !== false) return
    if (Date.now() > end) throw new Error(`${what} of Ceph does not start`)
    await delay(100)
  }
}

type Settings = Readonly<{ directory: string; fsid: string; monPort: number; port: number; minSessionSeconds: number }>

const configuration = ({ directory, fsid, monPort, port, minSessionSeconds }: Settings) => `
[global]
fsid = ${fsid}
mon_host = v2:127.0.0.1:${monPort}
mon_initial_members = a
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
ms_bind_msgr1 = false
# Loopback alone, so there are no keyrings. Without authentication, the gateway's default mode does not connect.
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
ms_mon_client_mode = crc
run_dir = ${directory}
admin_socket = ${directory}/$name.asok
log_file = ${directory}/$name.log
crash_dir = ${directory}/crash
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 1
osd_pool_default_pgp_num = 1
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
[mon]
mon_data = ${directory}/mon
mon_allow_pool_size_one = true
# So that it starts in a second.
paxos_propose_interval = 0.02
paxos_min_wait = 0.01
mon_data_avail_crit = 1
mon_data_avail_warn = 2
auth_allow_insecure_global_id_reclaim = false
[osd]
osd_data = ${directory}/osd
osd_journal =
osd_objectstore = memstore
memstore_device_bytes = 4294967296
osd_op_num_shards = 2
osd_op_num_threads_per_shard = 1
[client]
rgw_data = ${directory}/rgw
rgw_frontends = beast endpoint=127.0.0.1:${port}
rgw_thread_pool_size = 32
rgw_s3_auth_use_sts = true
rgw_sts_key = abcdefghijklmnop
rgw_sts_min_session_duration = ${minSessionSeconds}
rgw_run_sync_thread = false
rgw_enable_quota_threads = false
`
