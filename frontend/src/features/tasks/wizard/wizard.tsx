/** The wizard itself: the steps above, the step's form at the left, "your run" at the right. */
import { Button, Flex, Form, Steps, Typography } from 'antd'
import { useTranslation } from 'react-i18next'
import { STEPS, type StepIndex } from './check'
import { DraftsNotice } from './drafts-notice'
import { RunPanel } from './run-panel'
import { StepGoal } from './step-goal'
import { StepMethod } from './step-method'
import { StepReview } from './step-review'
import { StepSources } from './step-sources'
import { HEADING_ID } from './use-steps'
import { useWizard, type Start } from './use-wizard'
import { useReachable } from '@/api/connection'
import { errorSentence } from '@/api/errors'
import { paths } from '@/app/paths'
import { PageHeader } from '@/components/page-header'
import './wizard.css'

const BLOCKED_ID = 'start-blocked'
const CONTENT = [StepGoal, StepSources, StepMethod, StepReview]

export function Wizard({ start }: { start: Start }) {
  const { t } = useTranslation()
  const wizard = useWizard(start)
  const { step, furthest, left, starting, saving } = wizard
  const Content = CONTENT[step] ?? StepGoal
  const last = step === STEPS.length - 1
  const away = !useReachable()
  const blocked = away ? t('shell.offline.title') : left[0]?.text
  return (
    <>
      <PageHeader
        trail={[{ label: t('shell.nav.tasks'), to: paths.tasks }]}
        title={t('wizard.title')}
        purpose={step === 0 ? t('wizard.purpose') : undefined}
        actions={
          <span role="status" className="secondary">
            {saving.state !== 'idle' &&
              t(`wizard.draft.${saving.state}`, { reason: errorSentence(t, saving.error) })}
          </span>
        }
      />
      {step === 0 && saving.state === 'idle' && <DraftsNotice />}
      <Steps
        className="wizard-steps"
        size="small"
        current={step}
        onChange={(index) => wizard.goTo(index as StepIndex)}
        items={STEPS.map((name, index) => ({
          title: t(`wizard.steps.${name}`),
          disabled: index > furthest,
          status: index === step ? 'process' : index < step ? 'finish' : 'wait',
        }))}
      />
      <div className="wizard">
        <Form layout="vertical" className="wizard-form" onFinish={last ? undefined : wizard.next}>
          <Typography.Title level={2} id={HEADING_ID} tabIndex={-1} style={{ marginTop: 0 }}>
            {last ? t('wizard.review.title') : t(`wizard.steps.${STEPS[step]}`)}
          </Typography.Title>
          <Content wizard={wizard} />
          <Flex justify="space-between" gap={8} wrap className="wizard-buttons">
            <Button disabled={step === 0 || starting} onClick={() => wizard.goTo((step - 1) as StepIndex)}>
              {t('general.back')}
            </Button>
            {last && blocked && (
              <span id={BLOCKED_ID} className="secondary wizard-blocked">
                {blocked}
              </span>
            )}
            {last ? (
              <Button
                type="primary"
                aria-describedby={blocked && BLOCKED_ID}
                disabled={blocked !== undefined || starting}
                loading={starting}
                onClick={() => void wizard.start()}
              >
                {t(starting ? 'wizard.starting' : 'wizard.start')}
              </Button>
            ) : (
              <Button type="primary" htmlType="submit">
                {t('general.next')}
              </Button>
            )}
          </Flex>
        </Form>
        <RunPanel wizard={wizard} />
      </div>
    </>
  )
}
