-- Of the normal distribution's table, to seven digits, and far out.
SELECT z, normal_tail(z) AS p FROM (SELECT unnest([0, 1, 1.959963984540054, -1.959963984540054, 3.2905267314919, 10, 37, 50, NULL]) AS z);
