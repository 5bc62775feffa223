-- title: The groups of an IPv6 address in hexadecimal, `::` written out
-- description: An IPv4 address at the end counts as the groups 0 and 0.
-- example: select ipv6_groups('fe80::1')
CREATE MACRO ipv6_groups(address) AS
CASE
  WHEN contains(address, '::') THEN list_concat(
    list_resize(
      list_filter(string_split(split_part(address, '::', 1), ':'), lambda part: part <> ''),
      greatest(0, 8 - len(list_filter(string_split(
        regexp_replace(split_part(address, '::', 2), '[0-9.]*\.[0-9.]*$', '0:0'), ':'), lambda part: part <> ''))),
      '0'),
    list_filter(string_split(
      regexp_replace(split_part(address, '::', 2), '[0-9.]*\.[0-9.]*$', '0:0'), ':'), lambda part: part <> ''))
  ELSE string_split(regexp_replace(address, '[0-9.]*\.[0-9.]*$', '0:0'), ':')
END
