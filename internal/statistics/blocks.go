package statistics

import (
	"context"
	"database/sql"
)

// inBlocks computes features by blocks of size: compute makes a temporary table
// computed_block, unless there is nothing to do, and returns the statements that store
// what is in it, which are one transaction. While a block is stored, which takes one
// processor, the next is computed. Blocks are stored in their order.
func (j *Job) inBlocks(ctx context.Context, features, size int, compute func(conn *sql.Conn, from, to int) (store []string, err error)) error {
	release, err := j.oneThread(ctx)
	if err != nil {
		return err
	}
	defer release()
	stored := make(chan error, 1)
	stored <- nil
	defer func() { <-stored }() // which is under way still after an error
	for from := 0; from < features; from += size {
		conn, err := j.DB.Conn(ctx)
		if err != nil {
			return err
		}
		to := min(from+size, features)
		store, err := compute(conn, from, to)
		if err != nil {
			conn.Close()
			return err
		}
		if err := <-stored; err != nil {
			conn.Close()
			stored <- nil
			return err
		}
		go func() {
			defer conn.Close()
			err := storeBlock(ctx, conn, store)
			if err == nil {
				j.done(to - from)
			}
			stored <- err
		}()
	}
	err = <-stored
	stored <- nil
	return err
}

func storeBlock(ctx context.Context, conn *sql.Conn, statements []string) error {
	if len(statements) == 0 {
		return nil
	}
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for _, statement := range append(statements, "DROP TABLE computed_block") {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// oneThread holds DuckDB to one thread, if it may, until release is called.
func (j *Job) oneThread(ctx context.Context) (release func(), err error) {
	if !j.Alone {
		return func() {}, nil
	}
	if _, err := j.DB.ExecContext(ctx, "SET threads = 1"); err != nil {
		return nil, err
	}
	return func() {
		// A cancelled job gives its threads back too; a database that is going is as well.
		_, _ = j.DB.ExecContext(context.WithoutCancel(ctx), "RESET threads")
	}, nil
}
