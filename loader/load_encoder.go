package loader

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/sae"
	schema "github.com/saedb/saedb/sql"
)

// addEncoder writes the encoder of an SAE that is loaded already, as it is opened, unless it
// has one: its decoder need not be read again for that.
func (ld *Loader) addEncoder(ctx context.Context, tx *sql.Tx, name string, id int, opened sae.SAE, outcome *Outcome) (added bool, err error) {
	var there bool
	if err := tx.QueryRowContext(ctx, `SELECT encoder_hook IS NOT NULL FROM stored_saes WHERE sae_id = ?`, id).Scan(&there); err != nil || there {
		return false, err
	}
	stays, err := stayingOf(ctx, tx, id)
	if err != nil {
		return false, err
	}
	if err := ld.writeEncoder(ctx, tx, name, id, opened, stays != nil); err != nil {
		return false, err
	}
	outcome.Now = "its encoder is loaded now"
	return true, nil
}

// writeEncoder writes the rows of an encoder, of an SAE whose row of stored_saes is there; without
// their weights where these stay in their files.
func (ld *Loader) writeEncoder(ctx context.Context, tx *sql.Tx, name string, id int, opened sae.SAE, inPlace bool) error {
	info := opened.Info()
	encoder, err := opened.Encoder()
	if err != nil {
		return err
	}
	if err := CheckReadsResidualStream(info, encoder); err != nil {
		return err
	}
	rows, withdraw := ld.Opened.OfferEncoder(opened)
	defer withdraw()
	weights := "w_enc"
	if inPlace {
		weights = "NULL" // and no weight is read
	}
	err = ld.fill(ctx, tx, "encoder of "+name, info.DSAE, fmt.Sprintf(`INSERT INTO stored_encoders
		SELECT %d, feature, %s, bias, threshold FROM %s`, id, weights, rows))
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE stored_saes SET encoder_hook = ? WHERE sae_id = ?`, info.EncoderHook(), id); err != nil {
		return err
	}
	return schema.RecordContents(ctx, tx, id, "stored_encoders")
}

// CheckReadsResidualStream refuses an encoder that is known to read something else, or of
// which it is not known.
func CheckReadsResidualStream(info sae.Info, encoder *sae.Encoder) error {
	e := &fault.Error{
		Subject: info.Path + ": encoder", Expected: fmt.Sprintf("one that reads %s, %d values", sae.ResidualStream, info.DModel),
		Hint: "load it without --encoder; read_encoder gives the rows as they are",
	}
	hook := info.EncoderHook()
	switch space := sae.HookSpace(hook); {
	case hook == "":
		e.Found = "files that do not say which hook point it reads"
	case space != sae.ResidualStream:
		e.Found = fmt.Sprintf("hook point %s, %s", hook, space)
	case encoder.DIn != info.DModel:
		e.Found = fmt.Sprintf("%d values at hook point %s", encoder.DIn, hook)
	default:
		return nil
	}
	return e
}
