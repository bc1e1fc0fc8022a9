/**
 * Rules of the browser app. The zones say who may import whom:
 * components, api, i18n <- features <- app; a feature never imports another.
 */
import { readdirSync } from 'node:fs'
import js from '@eslint/js'
import { createNodeResolver, flatConfigs, importX } from 'eslint-plugin-import-x'
import jsxA11y from 'eslint-plugin-jsx-a11y'
import reactHooks from 'eslint-plugin-react-hooks'
import tseslint from 'typescript-eslint'

const src = './frontend/src'
const features = readdirSync(new URL('frontend/src/features', import.meta.url))

const zones = [
  ...['components', 'api', 'i18n'].map((room) => ({
    target: `${src}/${room}`,
    from: [`${src}/features`, `${src}/app`],
    message: 'components, api and i18n stand below features and app.',
  })),
  {
    target: `${src}/i18n`,
    from: [`${src}/components`, `${src}/api`],
    message: 'i18n stands alone.',
  },
  {
    target: `${src}/api`,
    from: `${src}/components`,
    message: 'api does not know how things look.',
  },
  {
    target: `${src}/features`,
    from: `${src}/app`,
    except: ['./paths.ts'],
    message: 'app composes features; a feature may only import app/paths.ts.',
  },
  ...features.map((name) => ({
    target: `${src}/features/${name}`,
    from: `${src}/features`,
    except: [`./${name}`],
    message: 'A feature never imports another; compose them in app/.',
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
    extends: [flatConfigs.typescript],
    plugins: { 'import-x': importX, 'react-hooks': reactHooks, 'jsx-a11y': jsxA11y },
    settings: {
      'import-x/resolver-next': [
        createNodeResolver({
          extensions: ['.ts', '.tsx', '.js'],
          tsconfig: { configFile: new URL('frontend/tsconfig.json', import.meta.url).pathname },
        }),
      ],
    },
    rules: {
      ...reactHooks.configs.recommended.rules,
      ...jsxA11y.flatConfigs.recommended.rules,
      // A page that is one short form may begin in its first field.
      'jsx-a11y/no-autofocus': 'off',
      'import-x/no-restricted-paths': ['error', { zones }],
      'import-x/no-cycle': 'error',
      'import-x/order': ['error', { 'newlines-between': 'never', alphabetize: { order: 'asc' } }],
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
  { files: ['frontend/src/**/*.test.{ts,tsx}'], rules: { 'no-restricted-syntax': 'off' } },
)
