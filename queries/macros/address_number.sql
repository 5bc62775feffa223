-- title: An address as a number of 128 bits; null if the text is no address
-- description: An IPv4 address has the number of its IPv4-mapped IPv6 address, so that both spellings are equal.
-- example: select address_number('10.0.0.1') = address_number('::ffff:10.0.0.1')
CREATE MACRO address_number(address) AS
CASE
  WHEN NOT contains(address, ':') THEN CAST(ipv4_number(address) AS UHUGEINT) + 281470681743360
  WHEN regexp_full_match(address, '[0-9a-fA-F:]*(:([0-9]{1,3}\.){3}[0-9]{1,3})?')
    AND len(string_split(address, '::')) <= 2 AND NOT contains(address, ':::')
    AND regexp_full_match(array_to_string(ipv6_groups(address), ':'), '([0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}')
  THEN list_reduce(
      list_transform(ipv6_groups(address), lambda part: TRY_CAST(TRY_CAST(concat('0x', part) AS INTEGER) AS UHUGEINT)),
      lambda number, part: number * 65536 + part)
    + CASE WHEN contains(address, '.') THEN ipv4_number(regexp_extract(address, '([0-9.]*)$', 1)) ELSE 0 END
END
