import JDCloud from 'jdcloud-sdk-js'
import { SANDBOX_KEYS } from '../../sandbox/world.ts'

/** The official SDK's STS client with test-iam's keys, pointed at a loopback URL. */
export function officialSts(url: string) {
  // The SDK prints every string to sign, and with it the session policy, unless its logger is replaced in two places:
  // globally, for its signer, and for each client, which copied the global one when it was made.
  const logger = () => {}
  JDCloud.config.update({ logger })
  const { accessKey, secretKey } = SANDBOX_KEYS.testIam
  return new JDCloud.STS({
    credentials: { accessKeyId: accessKey, secretAccessKey: secretKey },
    endpoint: { protocol: 'http', host: new URL(url).host },
    logger,
  })
}
