/** Step 2: which model learns what from which data, and whether they fit. */
import { Flex } from 'antd'
import { useTranslation } from 'react-i18next'
import { Coming } from './coming'
import { CompatibilityNote } from './compatibility'
import { DataRows, ValidationRows } from './data-rows'
import { Field } from './field'
import { MissingDataset, MissingModel } from './missing-sources'
import { ObjectiveField } from './objective-field'
import { SourceSelect, type SourceOption } from './source-select'
import { usePart } from './use-part'
import type { Wizard } from './use-wizard'
import { paths, withQuery } from '@/app/paths'
import { ErrorPanel } from '@/components/error-panel'
import { LinkButton } from '@/components/link-button'
import { useFormat } from '@/i18n/format'

/** Models and data as options: usable ones first, each with what tells it apart. */
function useOptions({ models, datasets }: Wizard) {
  const { t } = useTranslation()
  const format = useFormat()
  const modelOptions = models?.map((model): SourceOption => {
    const ready = model.status === 'ready'
    const facts = [
      format.parameters(model.num_parameters),
      ...(model.context_length
        ? [t('wizard.sources.context', { n: format.number(model.context_length) })]
        : []),
    ]
    const detail = ready ? facts.join(' · ') : t(`status.model.${model.status}`)
    return { value: model.id, label: model.name, detail, disabled: !ready }
  })
  const datasetOptions = datasets?.map((dataset): SourceOption => {
    const ready = dataset.status === 'ready'
    const facts = [
      t('wizard.sources.rows', { count: dataset.num_rows ?? 0, n: format.number(dataset.num_rows) }),
      ...(dataset.record_type ? [t(`datasets.recordTypes.${dataset.record_type}`)] : []),
    ]
    const detail = ready ? facts.join(' · ') : t(`status.dataset.${dataset.status}`)
    return { value: dataset.id, label: dataset.name, detail, disabled: !ready }
  })
  const usableFirst = (options: SourceOption[] | undefined) =>
    options?.toSorted((a, b) => Number(a.disabled) - Number(b.disabled))
  return { modelOptions: usableFirst(modelOptions), datasetOptions: usableFirst(datasetOptions) }
}

export function StepSources({ wizard }: { wizard: Wizard }) {
  const { t } = useTranslation()
  const { modelOptions, datasetOptions } = useOptions(wizard)
  const { values } = wizard.state
  const divided = usePart(wizard).validation !== null
  const edit = (changed: Partial<typeof values>) =>
    wizard.dispatch({ type: 'edit', values: changed })
  const detailOf = (options: SourceOption[] | undefined, id: string | null) =>
    options?.find(({ value }) => value === id)?.detail
  return (
    <>
      <Field
        wizard={wizard}
        field="model_id"
        label={t('wizard.sources.model')}
        help={detailOf(modelOptions, values.model_id) ?? t('wizard.sources.modelHelp')}
      >
        {(input) =>
          wizard.modelsFailure ? (
            <ErrorPanel {...wizard.modelsFailure} />
          ) : modelOptions?.length === 0 ? (
            <MissingModel />
          ) : (
            <Flex gap={8} wrap>
              <SourceSelect
                input={input}
                value={values.model_id}
                options={modelOptions}
                placeholder={t('wizard.sources.chooseModel')}
                onChange={(model_id) => edit({ model_id })}
              />
              <LinkButton to={withQuery(paths.models, { add: '1' })}>
                {t('wizard.sources.moreModels')}
              </LinkButton>
            </Flex>
          )
        }
      </Field>
      <Coming items={wizard.models} />
      <Field
        wizard={wizard}
        field="dataset_id"
        label={t('wizard.sources.dataset')}
        help={detailOf(datasetOptions, values.dataset_id) ?? t('wizard.sources.datasetHelp')}
      >
        {(input) =>
          wizard.datasetsFailure ? (
            <ErrorPanel {...wizard.datasetsFailure} />
          ) : datasetOptions?.length === 0 ? (
            <MissingDataset onAdded={(dataset_id) => edit({ dataset_id })} />
          ) : (
            <Flex gap={8} wrap>
              <SourceSelect
                input={input}
                value={values.dataset_id}
                options={datasetOptions}
                placeholder={t('wizard.sources.chooseDataset')}
                onChange={(dataset_id) =>
                  // Versions and parts are those of the data set that was chosen before.
                  edit({
                    dataset_id,
                    dataset_version: null,
                    dataset_split: null,
                    ...(values.validation_dataset_id === null && { validation_split: null }),
                  })
                }
              />
              <LinkButton to={withQuery(paths.datasets, { upload: '1' })}>
                {t('wizard.sources.moreDatasets')}
              </LinkButton>
            </Flex>
          )
        }
      </Field>
      <DataRows wizard={wizard} />
      <Coming items={wizard.datasets} />
      <ObjectiveField wizard={wizard} />
      <CompatibilityNote wizard={wizard} />
      {/* A cloned choice stays in view, also when there is nothing else to choose or it is gone. */}
      {((datasetOptions?.length ?? 0) > 1 || values.validation_dataset_id !== null) && (
        <Field
          wizard={wizard}
          field="validation_dataset_id"
          optional
          label={t('wizard.sources.validation')}
          help={t(divided ? 'wizard.sources.validationHelpPart' : 'wizard.sources.validationHelp')}
        >
          {(input) => (
            <SourceSelect
              input={input}
              allowClear
              value={values.validation_dataset_id}
              options={datasetOptions}
              placeholder={t(divided ? 'wizard.sources.validationPart' : 'wizard.sources.validationNone')}
              onChange={(validation_dataset_id) => {
                edit({ validation_dataset_id, validation_version: null, validation_split: null })
                input.onBlur() // a wrong choice says so at once
              }}
            />
          )}
        </Field>
      )}
      <ValidationRows wizard={wizard} />
    </>
  )
}
