/**
 * Rules of the browser app. The zones say who may import whom:
 * components, api, i18n <- features <- app; a feature never imports another.
 */
import { readdirSync } from 'node:fs'
import js from '@eslint/js'
import jsxA11y from 'eslint-plugin-jsx-a11y'
import reactHooks from 'eslint-plugin-react-hooks'
import tseslint from 'typescript-eslint'

const src = 'frontend/src'
const features = readdirSync(new URL(`${src}/features`, import.meta.url))

/** Import paths that are closed to the files of a room: by alias and by any relative spelling. */
const closed = (rooms, message) => ({
  'no-restricted-imports': [
    'error',
    { patterns: [{ group: rooms.flatMap((room) => [`@/${room}`, `@/${room}/**`, `**/../${room}/**`]), message }] },
  ],
})

const zones = [
  ...['components', 'api'].map((room) => ({
    files: [`${src}/${room}/**/*.{ts,tsx}`],
    rules: closed(
      room === 'api' ? ['features', 'app', 'components'] : ['features', 'app'],
      'components, api and i18n stand below features and app; api does not know how things look.',
    ),
  })),
  {
    files: [`${src}/i18n/**/*.{ts,tsx}`],
    rules: closed(['features', 'app', 'components', 'api'], 'i18n stands alone.'),
  },
  ...features.map((name) => ({
    files: [`${src}/features/${name}/**/*.{ts,tsx}`],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              // Its own files a feature names relatively; everything below @/features is another's.
              group: ['@/features/**', ...features.filter((f) => f !== name).map((f) => `**/../${f}/**`)],
              message: 'A feature never imports another; compose them in app/.',
            },
            {
              group: ['@/app/**', '!@/app/paths', '**/../app/**'],
              message: 'app composes features; a feature may only import app/paths.ts.',
            },
          ],
        },
      ],
    },
  })),
]

const shownAttributes =
  'title|label|placeholder|alt|aria-label|description|tooltip|help|extra|okText|cancelText|message|content'

const userVisibleText = [
  {
    selector: 'JSXText[value=/[\\p{L}]/u]',
    message: 'Text the user sees belongs in i18n/, not in the code.',
  },
  {
    selector: `JSXAttribute[name.name=/^(${shownAttributes})$/] > Literal[value=/[\\p{L}]/u]`,
    message: 'Text the user sees belongs in i18n/, not in the code.',
  },
  {
    selector: 'JSXAttribute[name.name="dangerouslySetInnerHTML"]',
    message: 'Data is rendered as text, never as HTML.',
  },
]

export default tseslint.config(
  { ignores: ['frontend/dist/**', 'frontend/src/api/schema.gen.ts'] },
  js.configs.recommended,
  ...tseslint.configs.strict,
  {
    files: ['frontend/**/*.{ts,tsx}'],
    plugins: { 'react-hooks': reactHooks, 'jsx-a11y': jsxA11y },
    rules: {
      ...reactHooks.configs.recommended.rules,
      ...jsxA11y.flatConfigs.recommended.rules,
      // A page that is one short form may begin in its first field.
      'jsx-a11y/no-autofocus': 'off',
      'no-restricted-syntax': ['error', ...userVisibleText],
      'max-lines': ['error', 250],
      'no-console': 'error',
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      '@typescript-eslint/consistent-type-imports': 'error',
      'no-undef': 'off',
    },
  },
  {
    files: ['frontend/public/*.js'],
    languageOptions: { globals: { document: false, localStorage: false, matchMedia: false } },
  },
  ...zones,
  { files: ['frontend/src/**/*.test.{ts,tsx}'], rules: { 'no-restricted-syntax': 'off' } },
)
