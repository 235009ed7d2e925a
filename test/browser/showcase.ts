/** A message of everything that messages can be built of, as a bot would post it. */

const TEXT = [
  '# A heading',
  'Some **bold**, *slanted*, __underlined__, ~~struck~~ and `code` with snake_case_words.',
  '> A quote of <@USER> in <#CHANNEL>, <t:4102444800:R>',
  '- one',
  '- two, with ||a secret||',
  '```',
  'const fox = 1 < 2;',
  '```',
  '[a link](https://example.com/) and <script>alert(1)</script>',
  '-# Small print',
].join('\n');

function text(content: string): object {
  return { type: 10, content };
}

function button(style: number, face: string): object {
  return { type: 2, style, label: face, custom_id: `button-${style}` };
}

function labelled(name: string, component: object, description?: string): object {
  return { type: 18, label: name, component, ...(description === undefined ? {} : { description }) };
}

export function showcase(userId: string, channelId: string): unknown {
  const options = ['Red', 'Green', 'Blue'].map((name) => ({
    label: name,
    value: name.toLowerCase(),
    description: `All ${name}`,
  }));
  return {
    flags: 1 << 15,
    components: [
      text(TEXT.replace('USER', userId).replace('CHANNEL', channelId)),
      {
        type: 17,
        accent_color: 0xff8a5c,
        components: [
          {
            type: 9,
            components: [text('### A section'), text('with a picture beside it')],
            accessory: { type: 11, media: { url: 'attachment://one.png' }, description: 'a thumbnail' },
          },
          { type: 9, components: [text('and with a button')], accessory: button(2, 'Beside') },
          { type: 14, spacing: 2 },
          {
            type: 12,
            items: [
              { media: { url: 'attachment://one.png' }, description: 'the first picture' },
              { media: { url: 'attachment://two.png' }, description: 'the second picture', spoiler: true },
              { media: { url: 'https://example.com/three.png' }, description: 'a picture elsewhere' },
            ],
          },
          { type: 13, file: { url: 'attachment://table.csv' } },
          { type: 1, components: [button(1, 'Primary'), button(3, 'Success'), button(4, 'Danger')] },
          {
            type: 1,
            components: [
              { type: 2, style: 5, label: 'Link', url: 'https://example.com/' },
              { type: 2, style: 2, label: 'Disabled', custom_id: 'disabled', disabled: true },
            ],
          },
        ],
      },
      { type: 1, components: [{ type: 3, custom_id: 'colour', placeholder: 'A colour', options }] },
      {
        type: 1,
        components: [
          { type: 3, custom_id: 'colours', placeholder: 'Two colours', min_values: 2, max_values: 2, options },
        ],
      },
      { type: 1, components: [{ type: 5, custom_id: 'member', placeholder: 'A member' }] },
    ],
  };
}

/** A form with every kind of field. */
export function everyField(): unknown {
  const options = ['One', 'Two', 'Three'].map((name) => ({ label: name, value: name.toLowerCase() }));
  return {
    custom_id: 'fields',
    title: 'Every kind of field',
    components: [
      labelled(
        'Words',
        { type: 4, custom_id: 'words', style: 2, min_length: 3, value: 'ab' },
        'At least three letters',
      ),
      labelled('Pick', { type: 3, custom_id: 'pick', options }),
      labelled('Radio', { type: 21, custom_id: 'radio', options }),
      labelled('Boxes', { type: 22, custom_id: 'boxes', options, min_values: 1 }),
      labelled('File', { type: 19, custom_id: 'file' }, 'A picture'),
    ],
  };
}
