import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { skipWithout } from '../clients/client.ts'
import { run } from './tool.ts'

const skip = skipWithout('promtool', '--version')
const folder = join(import.meta.dirname, '../../../deploy/prometheus')

test('Prometheus accepts the configuration and the rules', { skip }, () => {
  assert.match(run('promtool', 'check', 'config', join(folder, 'prometheus.yaml')), /SUCCESS: \d+ rules found/u)
})

test('each alert fires when it should, and only then', { skip }, () => {
  assert.match(run('promtool', 'test', 'rules', join(folder, 'alerts.test.yaml')), /SUCCESS/u)
})

test('an alert without its condition is found', { skip }, () => {
  const copy = mkdtempSync(join(tmpdir(), 'oss-vend-alerts-'))
  const rules = readFileSync(join(folder, 'alerts.yaml'), 'utf8')
  writeFileSync(join(copy, 'alerts.yaml'), rules.replace('> 90 * 86400', '> 900 * 86400'))
  writeFileSync(join(copy, 'alerts.test.yaml'), readFileSync(join(folder, 'alerts.test.yaml')))
  assert.throws(() => run('promtool', 'test', 'rules', join(copy, 'alerts.test.yaml')), /OssVendStsKeyTooOld/u)
})
