/** The services that messages can be sent to: what each form asks for, and the address it makes. */

export type FieldName =
  | 'url' | 'host' | 'port' | 'security' | 'user' | 'password' | 'from' | 'to'
  | 'token' | 'botToken' | 'chat' | 'signing' | 'server' | 'topic' | 'room' | 'userKey'

export type Values = Partial<Record<FieldName, string>>

export interface Field {
  name: FieldName
  optional?: boolean
  secret?: boolean
  placeholder?: string
  help?: 'webhookHelp' | 'hookHelp' | 'appriseHelp' | 'toHelp'
  /** What the value must look like. */
  pattern?: RegExp
  choices?: readonly ('tls' | 'starttls')[]
  initial?: string
}

export interface Service {
  fields: readonly Field[]
  /** The address as the server understands it. */
  url: (values: Values) => string
}

const part = (text = '') => encodeURIComponent(text.trim())
/** A server as people write it: without `https://` and what follows its name. */
const server = (text = '') => text.trim().replace(/^\w+:\/\//, '').replace(/\/.*$/, '')
const SERVER = /^\s*(https:\/\/)?[^\s/@?#]+\/?\s*$/

/** A service that gives out a webhook address, which is all there is to fill in. */
const hook = (pattern: RegExp, placeholder: string): Service => ({
  fields: [{ name: 'url', secret: true, help: 'hookHelp', pattern, placeholder }],
  url: ({ url = '' }) => url.trim(),
})

export const services = {
  webhook: {
    fields: [
      {
        name: 'url',
        secret: true,
        help: 'webhookHelp',
        pattern: /^\s*https?:\/\/\S+\s*$/,
        placeholder: 'https://example.com/hooks/…',
      },
    ],
    url: ({ url = '' }) => url.trim(),
  },
  email: {
    fields: [
      { name: 'host', placeholder: 'smtp.example.com', pattern: SERVER },
      { name: 'security', choices: ['tls', 'starttls'], initial: 'tls' },
      { name: 'port', optional: true, pattern: /^\d{1,5}$/ },
      { name: 'user', optional: true },
      { name: 'password', optional: true, secret: true },
      { name: 'from', placeholder: 'easytune@example.com', pattern: /\S@\S/ },
      { name: 'to', placeholder: 'you@example.com', help: 'toHelp', pattern: /\S@\S/ },
    ],
    url: ({ host, port, security, user, password, from, to = '' }) => {
      const tls = security !== 'starttls'
      const login = user?.trim() ? `${part(user)}:${encodeURIComponent(password ?? '')}@` : ''
      const place = `${server(host)}:${port?.trim() || (tls ? 465 : 587)}`
      const people = to.split(/[,\s]+/).filter(Boolean).map(part).join(',')
      const options = `smtp=${part(server(host))}&mode=${tls ? 'ssl' : 'starttls'}`
      return `mailtos://${login}${place}?${options}&from=${part(from)}&to=${people}`
    },
  },
  slack: hook(/^\s*https:\/\/hooks\.slack\.com\/services\/\S+$/, 'https://hooks.slack.com/services/…'),
  discord: hook(/^\s*https:\/\/\S*discord(app)?\.com\/api\/webhooks\/\S+$/, 'https://discord.com/api/webhooks/…'),
  teams: hook(/^\s*https:\/\/\S+\/workflows\/\S+$/, 'https://….logic.azure.com/workflows/…'),
  telegram: {
    fields: [
      { name: 'botToken', secret: true, placeholder: '123456789:AbCd…', pattern: /^\s*\d+:[\w-]+\s*$/ },
      { name: 'chat', placeholder: '-1001234567890' },
    ],
    url: ({ botToken = '', chat }) => `tgram://${botToken.trim()}/${part(chat)}`,
  },
  feishu: hook(
    /^\s*https:\/\/open\.feishu\.cn\/open-apis\/bot\/v2\/hook\/\S+$/,
    'https://open.feishu.cn/open-apis/bot/v2/hook/…',
  ),
  lark: hook(
    /^\s*https:\/\/open\.larksuite\.com\/open-apis\/bot\/v2\/hook\/\S+$/,
    'https://open.larksuite.com/open-apis/bot/v2/hook/…',
  ),
  dingtalk: {
    fields: [
      {
        name: 'url',
        secret: true,
        help: 'hookHelp',
        pattern: /^\s*https:\/\/oapi\.dingtalk\.com\/robot\/send\?access_token=\w+\s*$/,
        placeholder: 'https://oapi.dingtalk.com/robot/send?access_token=…',
      },
      { name: 'signing', optional: true, secret: true, pattern: /^\s*\w+\s*$/ },
    ],
    url: ({ url = '', signing = '' }) => {
      const token = url.trim().replace(/^.*access_token=/, '')
      return `dingtalk://${signing.trim() ? `${part(signing)}@` : ''}${token}`
    },
  },
  wecom: hook(
    /^\s*https:\/\/qyapi\.weixin\.qq\.com\/cgi-bin\/webhook\/send\?key=\S+$/,
    'https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=…',
  ),
  googlechat: hook(/^\s*https:\/\/chat\.googleapis\.com\/v1\/spaces\/\S+$/, 'https://chat.googleapis.com/v1/spaces/…'),
  mattermost: {
    fields: [
      { name: 'server', placeholder: 'mattermost.example.com', pattern: SERVER },
      { name: 'token', secret: true },
    ],
    url: (values) => `mmosts://${server(values.server)}/${part(values.token)}`,
  },
  ntfy: {
    fields: [
      { name: 'server', initial: 'ntfy.sh', pattern: SERVER },
      { name: 'topic' },
      { name: 'token', optional: true, secret: true },
    ],
    url: ({ topic, token = '', ...rest }) =>
      `ntfys://${token.trim() ? `${part(token)}@` : ''}${server(rest.server)}/${part(topic)}`,
  },
  gotify: {
    fields: [
      { name: 'server', placeholder: 'gotify.example.com', pattern: SERVER },
      { name: 'token', secret: true },
    ],
    url: (values) => `gotifys://${server(values.server)}/${part(values.token)}`,
  },
  matrix: {
    fields: [
      { name: 'server', placeholder: 'matrix.example.com', pattern: SERVER },
      { name: 'user' },
      { name: 'password', secret: true },
      { name: 'room', placeholder: '#training:example.com', pattern: /^\s*[#!]\S+$/ },
    ],
    url: ({ user, password = '', room, ...rest }) =>
      `matrixs://${part(user)}:${encodeURIComponent(password)}@${server(rest.server)}/${part(room)}`,
  },
  pushover: {
    fields: [
      { name: 'userKey', secret: true },
      { name: 'token', secret: true },
    ],
    url: ({ userKey, token }) => `pover://${part(userKey)}@${part(token)}`,
  },
  other: {
    fields: [{ name: 'url', secret: true, help: 'appriseHelp', pattern: /^\s*\w+:\/\/\S+\s*$/, placeholder: 'rockets://…' }],
    url: ({ url = '' }) => url.trim(),
  },
} as const satisfies Record<string, Service>

export type ServiceName = keyof typeof services
export const serviceNames = Object.keys(services) as ServiceName[]
export const serviceOf = (name: ServiceName): Service => services[name]
