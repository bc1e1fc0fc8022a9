/** Adding one of the data sets that come with EasyTune; works without a network. */
import { DownOutlined } from '@ant-design/icons'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Button, Dropdown } from 'antd'
import { useTranslation } from 'react-i18next'
import { useNavigate } from 'react-router'
import { addExample, examplesQuery } from './api'
import { paths } from '@/app/paths'
import { useShowError } from '@/components/use-show-error'

/** `compact`: one button with a menu, instead of a button for each. */
export function ExampleButtons({ compact = false }: { compact?: boolean }) {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const queries = useQueryClient()
  const { data: examples = [] } = useQuery(examplesQuery())
  const add = useMutation({
    mutationFn: addExample,
    onError: useShowError(),
    onSuccess: async (dataset) => {
      await queries.invalidateQueries({ queryKey: ['datasets'] })
      await navigate(paths.dataset(dataset.id))
    },
  })
  const title = (id: string, fallback: string) =>
    t(`datasets.examples.titles.${id}` as 'datasets.title', { defaultValue: fallback })
  if (examples.length === 0) return null
  if (compact) {
    return (
      <Dropdown
        trigger={['click']}
        menu={{
          items: examples.map((each) => ({
            key: each.id,
            label: `${title(each.id, each.title)} · ${t('datasets.rowCount', { count: each.num_rows })}`,
          })),
          onClick: ({ key }) => add.mutate(key),
        }}
      >
        <Button loading={add.isPending} icon={<DownOutlined />} iconPlacement="end">
          {t('datasets.examples.add')}
        </Button>
      </Dropdown>
    )
  }
  return examples.map((each) => (
    <Button
      key={each.id}
      loading={add.isPending && add.variables === each.id}
      disabled={add.isPending}
      onClick={() => add.mutate(each.id)}
    >
      {title(each.id, each.title)}
    </Button>
  ))
}
