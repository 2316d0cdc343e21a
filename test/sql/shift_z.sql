-- Of the normal distribution's table: 2 Φ⁻¹((1 + es)/2), in the middle and in the tail.
SELECT es, round(shift_z(es, es / 2, pow(es / 2, 2), sqrt(-2 * ln((1 - es) / 2)), 0, 1), 6) AS shift, round(shift_z(es, es / 2, pow(es / 2, 2), sqrt(-2 * ln((1 - es) / 2)), 1, 2), 6) AS z
FROM (SELECT unnest([0.0, 0.5, 0.6826894921370859, 0.95, 0.9544997361036416, 0.9973002039367398]) AS es);
