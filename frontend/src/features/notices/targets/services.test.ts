import { describe, expect, it } from 'vitest'
import { serviceNames, serviceOf, type ServiceName, type Values } from './services'

const made: [ServiceName, Values, string][] = [
  ['webhook', { url: ' https://a.example/x ' }, 'https://a.example/x'],
  [
    'email',
    { host: 'smtp.example.com', security: 'tls', user: 'me@example.com', password: 'p@ss:w/rd#', from: 'e@example.com', to: 'a@b.example, c@d.example' },
    'mailtos://me%40example.com:p%40ss%3Aw%2Frd%23@smtp.example.com:465?smtp=smtp.example.com&mode=ssl&from=e%40example.com&to=a%40b.example,c%40d.example',
  ],
  [
    'email',
    { host: 'smtp.example.com', security: 'starttls', port: '2525', from: 'e@example.com', to: 'a@b.example' },
    'mailtos://smtp.example.com:2525?smtp=smtp.example.com&mode=starttls&from=e%40example.com&to=a%40b.example',
  ],
  ['dingtalk', { url: 'https://oapi.dingtalk.com/robot/send?access_token=abc', signing: 'SEC1' }, 'dingtalk://SEC1@abc'],
  ['dingtalk', { url: 'https://oapi.dingtalk.com/robot/send?access_token=abc' }, 'dingtalk://abc'],
  ['telegram', { botToken: '1:Ab-c', chat: '-100' }, 'tgram://1:Ab-c/-100'],
  ['ntfy', { server: 'https://ntfy.sh/', topic: 'a b' }, 'ntfys://ntfy.sh/a%20b'],
  ['gotify', { server: 'gotify.example', token: 'T' }, 'gotifys://gotify.example/T'],
  ['matrix', { server: 'm.example', user: 'u', password: 'p/', room: '#r:m.example' }, 'matrixs://u:p%2F@m.example/%23r%3Am.example'],
  ['pushover', { userKey: 'u', token: 'a' }, 'pover://u@a'],
]

describe('the address that the form makes', () => {
  it.each(made)('for %s', (name, values, url) => {
    expect(serviceOf(name).url(values)).toBe(url)
  })

  it.each(serviceNames)('%s takes the example that it shows', (name) => {
    for (const { pattern, placeholder } of serviceOf(name).fields) {
      if (pattern && placeholder) expect(placeholder.replaceAll('…', 'x1')).toMatch(pattern)
    }
  })
})
