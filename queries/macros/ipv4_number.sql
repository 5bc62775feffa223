-- title: An IPv4 address as a number of 32 bits; null if the text is no IPv4 address
-- example: select ipv4_number('10.0.0.1') = 167772161
CREATE MACRO ipv4_number(address) AS
CASE
  WHEN regexp_full_match(address, '([0-9]{1,3}\.){3}[0-9]{1,3}')
    AND list_max(list_transform(string_split(address, '.'), lambda part: TRY_CAST(part AS INTEGER))) <= 255
  THEN list_reduce(list_transform(string_split(address, '.'), lambda part: TRY_CAST(part AS UBIGINT)),
    lambda number, part: number * 256 + part)
END
