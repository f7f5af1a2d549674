/** The part of the official SDK that is used here; it ships no types of its own. */
declare module 'jdcloud-sdk-js' {
  export type AssumeRoleInfo = {
    roleJrn: string
    roleSessionName: string
    policy?: string
    durationSeconds?: number
  }

  export type AssumeRoleAnswer = {
    requestId: string
    result: { credentials: { accessKey: string; secretKey: string; sessionToken: string; expiration: string } }
  }

  class Sts {
    constructor(options: {
      credentials: { accessKeyId: string; secretAccessKey: string }
      endpoint: { protocol: 'http' | 'https'; host: string }
      logger?: (text: string) => void
    })
    /** Rejects with the parsed error document of an answer that is no 2xx. */
    assumeRole(options: {
      assumeRoleInfo: AssumeRoleInfo
      'x-extra-header'?: Readonly<Record<string, string>>
    }): Promise<AssumeRoleAnswer>
  }

  const JDCloud: { config: { update(options: { logger: (text: string) => void }): void }; STS: typeof Sts }
  export default JDCloud
}
