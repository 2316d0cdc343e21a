SELECT beyond_chance(NULL) AS no_baseline, beyond_chance(0.05) AS at, beyond_chance(0.049) AS below;
