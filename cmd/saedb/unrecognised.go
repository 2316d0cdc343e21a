package main

import (
	"errors"

	"github.com/saedb/saedb"
	"github.com/saedb/saedb/loader/sae"
	"github.com/urfave/cli/v2"
)

// explained says of the tensors in a path without SAEs which could be decoders of the models
// that are loaded, where the database is there.
func explained(c *cli.Context, err error) error {
	if u := (*sae.Unrecognised)(nil); !errors.As(err, &u) {
		return err
	}
	db, failed := openDatabase(c, saedb.Options{MustExist: true, ReadOnly: true})
	if failed != nil {
		return err
	}
	defer db.Close()
	return db.Explain(c.Context, err)
}
