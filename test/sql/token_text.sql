SELECT token_text(NULL, 'a') AS no_token, token_text('a', NULL) AS no_text;

SELECT token_text('Ġ»', ' »') AS whole, token_text('»', chr(65533)) AS bytes;
