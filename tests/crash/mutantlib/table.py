"""The seeded bugs: ways to break a promise that look right at first sight.

One row a mutant: number, name, the gates of which each has to find it (see gates.py), why it is wrong (what is lost,
and when), and the places it changes.  <old> is whole lines that stand exactly once in the file; <new> takes their
place.  Numbers stay: what is built carries them.  1 to 31 are the classical ones, the rest is what this code invites
besides."""

from collections import namedtuple

Edit = namedtuple("Edit", "file old new")
Mutant = namedtuple("Mutant", "number name gates why edits")

MUTANTS = []


def mutant(number, name, gates, why, *edits):
    MUTANTS.append(Mutant(number, name, gates, why, [Edit("service/" + file, old, new) for file, old, new in edits]))


# ---- what was answered is not on the disk ----

mutant(1, "ACK_BEFORE_FDATASYNC", ["explorer writes"],
       "every batch is taken for a relaxed one: answered when written, synced within 100 ms; a power cut in between "
       "loses it",
       ("persist/journal.c", """\
	if (durable || j->tail.len > JOURNAL_UNSYNCED_MAX || j->built.revision - j->durable.revision > JOURNAL_GAP) {
""", """\
	if (j->tail.len > JOURNAL_UNSYNCED_MAX || j->built.revision - j->durable.revision > JOURNAL_GAP) {
"""), ("persist/journal.c", """\
	if (durable)
		count_durable(j);
""", """\
	if (durable && (j->tail.len > JOURNAL_UNSYNCED_MAX || j->built.revision - j->durable.revision > JOURNAL_GAP))
		count_durable(j);
"""))

mutant(2, "NO_TMP_FSYNC", ["explorer writes"],
       "the name of a checkpoint becomes durable before its bytes: an empty or torn file, found when the journal is "
       "gone",
       ("base/fsx.c", """\
	r = fsx_sync(files, fd);
	if (r < 0)
		goto fail_close;
	r = fsx_close(files, fd);
""", """\
	r = fsx_close(files, fd);
"""))

mutant(3, "NO_DIR_FSYNC", ["explorer segments"],
       "renames in a container's directory are not durable when the segment goes: the older status comes back",
       ("persist/checkpoint_file.c", """\
	return r == 0 ? fsx_sync(files, fd) : r;
""", """\
	return r;
"""))

mutant(4, "NO_PARENT_FSYNC", ["explorer segments"],
       "a container's directory is not durable in containers/ when the segment of its creation goes: it vanishes",
       ("persist/checkpoint_file.c", """\
	*ret_parent = (*todo & (TODO_DELETE | TODO_METADATA | TODO_REDO)) != 0;
""", """\
	*ret_parent = (*todo & TODO_DELETE) != 0;
"""), ("persist/checkpoint_file.c", """\
	*ret_parent = true;
""", ""))

mutant(5, "NO_JOURNAL_DIR_FSYNC", ["explorer segments"],
       "the new segment's name is not durable when changes in it are answered: all of them are lost with it",
       ("persist/segment.c", """\
	r = fsx_sync(files, dir);
	if (r < 0)
		goto fail;
	*ret_doubtful = false;
""", """\
	*ret_doubtful = false;
"""))

mutant(6, "NO_PREALLOC_FSYNC", ["explorer segments"],
       "a segment is named before its zeros and its header are durable: a mere crash leaves one that cannot be read; "
       "without the zeros' fsync alone nothing is lost here, since the header's fdatasync takes them along, so that "
       "goes too",
       ("persist/segment.c", """\
	if (r == 0)
		r = fsx_sync(files, fd);
	closed = fsx_close(files, fd);
""", """\
	closed = fsx_close(files, fd);
"""), ("persist/segment.c", """\
	return r == 0 ? fsx_sync_data(files, fd) : r;
""", """\
	return r;
"""))

mutant(7, "RETIRE_BEFORE_CHECKPOINT", ["explorer segments"],
       "what is dirty does not hold its segment back: a crash before the checkpoint rolls the container back",
       ("persist/checkpoint.c", """\
	if (cp->view.first_revision <= revision)
		revision = cp->view.first_revision - 1;
""", ""))

mutant(8, "RETIRE_UNORDERED", ["unit test_segments none goes before its elders"],
       "whatever segment holds nothing is removed, also behind one that stays: the next start misses it and refuses; "
       "in the order alone there is no harm here, since MANIFEST says first what is not needed",
       ("persist/journal_files.c", """\
	for (size_t i = 0; i < plan.count && r == 0; i++)
		r = remove_oldest(j, err);
	return r;
""", """\
	for (size_t i = 0; i + 1 < j->kept_count && r == 0;) {
		struct kept_segment k = j->kept[i];

		if (k.last_revision > revision) {
			i++;
			continue;
		}
		r = remove_segment(j, &k, err);
		mutex_lock(&j->mutex);
		j->kept_count--;
		memmove(&j->kept[i], &j->kept[i + 1], (j->kept_count - i) * sizeof k);
		mutex_unlock(&j->mutex);
	}
	return r;
"""))

mutant(9, "NO_FRAME_CRC", ["explorer writes"],
       "a torn frame whose header arrived counts: the rest of its records is what lay there before",
       ("persist/frame.c", """\
	if (get32(at + 4) != crc_around(at, FRAME_HEADER + (size_t)len, 4))
		return -EBADMSG;
""", ""))

mutant(10, "STATUS_IN_PLACE", ["explorer writes"],
       "a status file is cut and written over: a crash in between leaves neither the old one nor the new one",
       ("persist/checkpoint_file.c", """\
	return b->failed ? b->failed : fsx_replace(files, fd, tmp, name, b->at, b->len);
""", """\
	int out, r;

	if (b->failed || strcmp(name, STATUS_NAME) != 0)
		return b->failed ? b->failed : fsx_replace(files, fd, tmp, name, b->at, b->len);
	out = fsx_open(files, fd, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (out < 0)
		return out;
	r = fsx_pwrite_all(files, out, b->at, b->len, 0);
	if (r == 0)
		r = fsx_sync(files, out);
	(void)fsx_close(files, out);
	return r;
"""))

mutant(11, "RMDIR_NOT_SYNCED", ["explorer deletes"],
       "a removed directory is not durably removed when the segment of the deletion goes: the container comes back",
       ("persist/checkpoint_file.c", """\
	*ret_parent = (*todo & (TODO_DELETE | TODO_METADATA | TODO_REDO)) != 0;
""", """\
	*ret_parent = (*todo & TODO_METADATA) != 0;
"""))

mutant(12, "RECOVERY_RETIRES_EARLY", ["unit test_recovery killed at many points", "explorer three-starts"],
       "segments of an earlier life go as soon as the next begins: killed again before the checkpoints, it is all "
       "lost",
       ("persist/replay.c", """\
	p->kept[f->segment].last_revision = newest;
""", ""))

mutant(13, "TAIL_NOT_COPIED", ["explorer three-starts"],
       "what was read from the old segment is trusted where it lies, though it may be in the page cache alone: a "
       "power cut after the start loses what was shown",
       ("persist/recovery.c", """\
		.durable_seq = r->scan.proven,
		.durable_live = durable,
""", """\
		.durable_seq = r->replay.copies_seq,
		.durable_live = r->live,
"""), ("persist/recovery.c", """\
		.copies = { r->replay.copies.at, r->replay.copies.len },
""", ""))

mutant(14, "RELAXED_OVERTAKEN", ["explorer segments"],
       "a rotation does not sync what is relaxed in the old segment: durable changes in the new one survive without "
       "it; within one segment that cannot be, one fdatasync takes all that lies before",
       ("persist/journal.c", """\
	if (j->shown_len > 0) {
		r = sync_current(j, err);
""", """\
	if (j->shown_len > 0) {
		r = 0;
"""))

mutant(15, "GAP_NOT_SKIPPED", ["unit test_recovery torn tail", "explorer relaxed"],
       "a revision that was shown and lost with a relaxed change is given to another one",
       ("persist/recovery.c", """\
	if ((r->options.root->made || r->revision > 0) && !r->scan.clean)
		r->revision += JOURNAL_GAP;
""", ""))

mutant(16, "CHECKPOINT_AHEAD_OF_JOURNAL", ["explorer relaxed"],
       "a relaxed change is in its file before its frame is durable: a crash leaves a file from the future; what "
       "hides it as a rule, the age of 400 ms, goes too",
       ("persist/disk_backend.c", """\
	if (d->pending_count > 0 && journal_is_durable(d->journal))
		hand_over(d);
""", """\
	if (d->pending_count > 0)
		hand_over(d);
"""), ("persist/checkpoint.c", """\
enum { ROUND_MAX = 1024, ROUND_STOPPING = 256, NOTE_MAX = 256 };
""", """\
enum { ROUND_MAX = 1024, ROUND_STOPPING = 256, NOTE_MAX = 256 };
#undef CHECKPOINT_AGE_NS
#define CHECKPOINT_AGE_NS 0
"""))

mutant(17, "PUBLISH_BEFORE_DURABLE", ["unit test_disk_faults", "linear"],
       "readers see a change before it is durable: gone after a crash, and seen though it was refused",
       ("store/committer.c", """\
	r = store_reserve(c->store, b->creations);
""", """\
	r = store_reserve(c->store, b->creations);
	if (r == 0)
		store_apply(c->store, b->changes, b->change_count);
"""), ("store/committer.c", """\
	store_apply(c->store, b->changes, done);
""", ""))

# ---- a call has failed ----

mutant(18, "SYNC_SAME_FILE_AGAIN", ["unit test_journal fdatasync fails", "explorer eio-3", "calls fdatasync-EIO-once"],
       "after a failed fdatasync the next one of the file says 0 though the pages are gone: answered and lost",
       ("persist/journal.c", """\
	int r = fsx_sync_data(j->options.files, j->fd);

	took = now_of(j) - start;
""", """\
	int r = fsx_sync_data(j->options.files, j->fd);

	if (r < 0)
		r = fsx_sync_data(j->options.files, j->fd);
	took = now_of(j) - start;
"""))

mutant(19, "FENCE_WITHOUT_BASE", ["unit test_segments refused is void"],
       "the next segment makes nothing void: a batch that was refused is there after a crash",
       ("persist/scan.c", """\
		if (!g->damaged)
			void_frames(s, i);
""", ""))

mutant(20, "RELAXED_LOST_BY_FENCE", ["unit test_segments relaxed is in the fence"],
       "the fence begins without copies of what was answered with sync=false, and then counts it as durable",
       ("persist/journal.c", """\
	j->fd = -1;
	r = journal_begin_segment(j, 0, true, err);
""", """\
	j->fd = -1;
	buf_reset(&j->tail);
	j->shown_len = 0;
	j->shown.seq = j->built.seq = j->durable.seq;
	r = journal_begin_segment(j, 0, true, err);
"""))

mutant(21, "REFUSAL_FROM_ROLLED_BACK_STATE", ["unit test_batches refusals fail with their batch"],
       "of a batch that failed, who changed nothing gets his verdict all the same: a 412 or a 200 about a state that "
       "never was",
       ("store/batch.c", """\
			continue;
		ticket_clear(t);
		ticket_finish(t, end);
""", """\
			continue;
		if (b->change_of[i] < 0) {
			t->done(t);
			continue;
		}
		ticket_clear(t);
		ticket_finish(t, end);
"""))

# ---- kill -9 ----

mutant(22, "REVISION_REUSED", ["http test_crash kill -9", "explorer deletes"],
       "the next revision follows that of the newest container alive: a deleted one's is given out again",
       ("persist/recovery.c", """\
	if ((r->options.root->made || r->revision > 0) && !r->scan.clean)
		r->revision += JOURNAL_GAP;
""", """\
	r->revision = 0;
	for (size_t i = 0; i < r->tree.count; i++)
		if (is_there(&r->tree.entries[i]) && r->revision < r->tree.entries[i].revision)
			r->revision = r->tree.entries[i].revision;
"""))

mutant(23, "DELETE_RESURRECTED", ["http test_crash kill -9", "linear"],
       "a replayed deletion does not count: killed before the directory is removed, the container is back",
       ("persist/replay.c", """\
	e->revision = rec->revision;
	e->transient = (rec->flags & RECORD_TRANSIENT) != 0;
""", """\
	if (rec->type == RECORD_DELETE)
		return 0;
	e->revision = rec->revision;
	e->transient = (rec->flags & RECORD_TRANSIENT) != 0;
"""))

# ---- each call fails in turn ----

mutant(24, "SHORT_WRITE_IGNORED", ["unit test_fsx all is written and read", "calls pwrite-one-byte-once"],
       "a write that took a part counts as whole: the end of a frame or a file is missing",
       ("base/fsx.c", """\
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		p += n;
""", """\
		if (n != 0)
			return n < 0 ? -errno : 0;
		return -EIO;
		p += n;
"""))

mutant(25, "EINTR_IS_SUCCESS", ["unit test_fsx interrupted sync", "calls fdatasync-EINTR-once"],
       "a sync that a signal ended counts: nothing was synced",
       ("base/fsx.c", """\
		r = files->fsync(fd);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : 0;
""", """\
		r = files->fsync(fd);
	while (0);
	return r < 0 && errno != EINTR ? -errno : 0;
"""), ("base/fsx.c", """\
		r = files->fdatasync(fd);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : 0;
""", """\
		r = files->fdatasync(fd);
	while (0);
	return r < 0 && errno != EINTR ? -errno : 0;
"""))

mutant(26, "ERROR_LEAVES_MEMORY_CHANGED", ["unit test_disk_faults", "calls fdatasync-EIO-once"],
       "a batch that failed is shown all the same: what was refused is read until the next start",
       ("store/committer.c", """\
	if (r < 0) {
		atomic_fetch_add(&c->failures, 1);
""", """\
	if (r < 0) {
		store_apply(c->store, b->changes, b->change_count);
		atomic_fetch_add(&c->failures, 1);
"""))

# ---- damage, and disks that are full ----

mutant(27, "NO_SEAL", ["unit test_segments the last frame is sealed"],
       "nothing proves the last frame: damaged later, it is dropped as if it had been torn, and nobody is told",
       ("persist/journal.c", """\
	if (fits(j, FRAME_BLOCK, FRAME_BLOCK))
		(void)put_mark(j, FRAME_SEAL, err);
""", ""))

mutant(28, "SIZE_NOT_CHECKED", ["unit test_recovery journal damaged", "damage"],
       "a segment that was cut short is taken as it is: what stood behind the cut is rolled back in silence",
       ("persist/scan.c", """\
	if (st.st_size < 0 || (uint64_t)st.st_size != h.size)
		return err_say(err, -EBADMSG, "its length is %lld, not %llu", (long long)st.st_size, (unsigned long long)h.size);
""", ""))

mutant(29, "MANIFEST_IGNORED", ["unit test_recovery journal damaged"],
       "what is there must do: segments that are missing at either end, and directories that vanished, are not "
       "missed",
       ("persist/scan.c", """\
	s->has_manifest = r == 0;
	if (r == 0)
		return 0;
""", """\
	if (r != -ENOMEM) {
		rebuild_manifest(s);
		return 0;
	}
"""))

mutant(30, "QUARANTINE_DROPS", ["unit test_recovery U16"],
       "a container whose status is damaged is left out instead of shown as unknown",
       ("persist/recovery.c", """\
	if (!is_there(e)) {
""", """\
	if (!is_there(e) || is_damaged(e)) {
"""))

mutant(31, "LOAD_WRITES", ["unit test_recovery U20"],
       "loading already sweeps what a crash left: a start on a disk that cannot be written, or a mere check, changes "
       "the root",
       ("persist/tree.c", """\
	r = read_metadata(w, e, dir, &ignored);
""", """\
	(void)w->tree->files->unlinkat(dir, ".status.tmp", 0);
	r = read_metadata(w, e, dir, &ignored);
"""))

# ---- what this code invites besides ----

mutant(32, "HOLE_SKIPPED", ["explorer relaxed"],
       "frames behind one that did not arrive count: a later change without an earlier one, no state that ever was",
       ("persist/scan.c", """\
	*ret_cut = expected > s->proven;
	if (*ret_cut)
		return 0;
""", """\
	*ret_cut = false;
	if (expected > s->proven)
		return 0;
"""))

mutant(33, "MANIFEST_AFTER_UNLINK", ["explorer segments"],
       "a segment goes before MANIFEST says that it may: after a crash in between it is missed, and the start "
       "refuses",
       ("persist/journal_files.c", """\
	if (plan.changed)
		r = manifest_write(j->options.files, j->options.dir, &plan.manifest, err);
	if (r < 0)
		return r;
	mutex_lock(&j->mutex);
	j->manifest_last = plan.manifest.last_segment;
	mutex_unlock(&j->mutex);
	for (size_t i = 0; i < plan.count && r == 0; i++)
		r = remove_oldest(j, err);
	return r;
""", """\
	for (size_t i = 0; i < plan.count && r == 0; i++)
		r = remove_oldest(j, err);
	if (r == 0 && plan.changed)
		r = manifest_write(j->options.files, j->options.dir, &plan.manifest, err);
	if (r < 0)
		return r;
	mutex_lock(&j->mutex);
	j->manifest_last = plan.manifest.last_segment;
	mutex_unlock(&j->mutex);
	return r;
"""))

mutant(34, "FENCE_MISSING", ["unit test_journal fdatasync fails", "explorer eio-3"],
       "after an error the same file is written on: what was refused may stand in it, what was relaxed may be lost",
       ("persist/journal.c", """\
	if (fence(j, &second) == 0)
		return fault;
	(void)err_wrap(err, "the journal cannot be written (%s), after", second.text);
	return JOURNAL_UNKNOWN;
""", """\
	(void)second;
	journal_drop(j);
	return fault;
"""))

mutant(35, "TAIL_DROPPED", ["unit test_recovery killed at many points"],
       "frames that nothing proves are served, but not taken over: the fence of the next segment makes them void",
       ("persist/replay.c", """\
	if (f->frame.seq <= p->scan->proven)
		return 0;
	if (p->copies.len == 0)
""", """\
	return 0;
	if (p->copies.len == 0)
"""))

mutant(36, "PARENT_SYNCED_AGAIN", ["unit test_checkpoint parent sync fails"],
       "after a failed fsync of containers/ the next one is believed: a directory made before it was never durable",
       ("persist/checkpoint.c", """\
		if (doubtful && ((item->todo & TODO_DELETE) || (item->todo & TODO_BOTH) == TODO_BOTH))
			item->todo |= TODO_REDO;
""", ""))

mutant(37, "TRANSIENT_FORGOTTEN", ["unit test_recovery transient flag"],
       "a start shows the cleared flag under the revision that had it set: one entity tag for two bodies",
       ("persist/tree.c", """\
	e->transient = stamp->transient;
""", ""), ("persist/tree.c", """\
		s.removing = stamp.transient; /* so that the same bytes would be written again */
""", ""))

mutant(38, "LIVE_NOT_KEPT", ["unit test_recovery killed at many points", "explorer deletes"],
       "the account of the living misses deletions: each start reports containers as vanished that were deleted",
       ("persist/journal.c", """\
	else if (head->type == RECORD_DELETE)
		live_drop(&j->built.live, id_hash(container_id(c)));
""", ""))

mutant(39, "PROOF_NOT_READ", ["unit test_recovery salvage"],
       "what later frames say about earlier ones is not read: a damaged frame is a torn tail, and all behind it is "
       "dropped",
       ("persist/scan.c", """\
	if (s->proven < f->durable_seq)
		s->proven = f->durable_seq;
""", ""))

mutant(40, "FAILED_CHECKPOINT_IS_DONE", ["unit test_checkpoint U11"],
       "a checkpoint that could not be written is not tried again, and its segment goes",
       ("persist/checkpoint.c", """\
		drops += dirty_settle(&cp->dirty, item, ok, tried ? now + RETRY_NS : 0, drop + drops);
""", """\
		drops += dirty_settle(&cp->dirty, item, tried, 0, drop + drops);
"""))

mutant(41, "LATER_CHANGE_FORGOTTEN", ["unit test_checkpoint changed while written"],
       "what changed while its checkpoint was being written counts as written: its segment goes, it was in no file",
       ("persist/dirty.c", """\
	if (done && !item->later) {
		ret_drop[n++] = item->snapshot;
""", """\
	if (done) {
		if (item->later)
			ret_drop[n++] = take(item->later);
		ret_drop[n++] = item->snapshot;
"""))

mutant(42, "COPY_NOT_RESTAMPED", ["unit test_segments relaxed is in the fence"],
       "copies say that they belong to the old segment, and are passed over in the new one",
       ("persist/journal_files.c", """\
		f.segno = segno;
""", ""))

mutant(43, "VERSION_FIRST", ["explorer first-start"],
       "VERSION is there before MANIFEST: a crash in between leaves a root that no start accepts",
       ("persist/disk_backend.c", """\
	if (!d->root.made)
		r = journal_retire(d->journal, 0, false, err);
	return r == 0 && !d->root.made ? root_make_version(&d->root, err) : r;
""", """\
	if (d->root.made)
		return 0;
	r = root_make_version(&d->root, err);
	return r == 0 ? journal_retire(d->journal, 0, false, err) : r;
"""))

mutant(44, "OLD_CLEAN_BELIEVED", ["unit test_segments an earlier clean end"],
       "the copy of an earlier life's clean end counts as this one's: revisions shown and lost are given out again",
       ("persist/scan.c", """\
	s->clean = (f->flags & (FRAME_CLEAN | FRAME_COPY)) == FRAME_CLEAN;
""", """\
	s->clean = (f->flags & FRAME_CLEAN) != 0;
"""))

mutant(45, "STALE_PRECONDITION", ["unit test_batches decided in their order"],
       "a change is decided against what is shown, not against what the same batch has made of it: two win with one "
       "If-Match",
       ("store/batch.c", """\
	if (!b->overlay[slot])
		return store_get(store, id);
""", """\
	return store_get(store, id);
"""))

mutant(46, "LAST_ONE_DECIDES", ["unit test_batches one durable member"],
       "whether a batch waits for the disk is up to its last member: a durable change before a relaxed one is not "
       "durable",
       ("store/batch.c", """\
	if (!t->change->relaxed && !t->change->dry_run && change_end_is_success(t->verdict.end))
		b->durable = true;
""", """\
	b->durable = !t->change->relaxed && !t->change->dry_run && change_end_is_success(t->verdict.end);
"""))

mutant(47, "SAME_IS_NOT_SYNCED", ["unit test_batches no change is durable too"],
       "a change that finds all as it wants it is answered at once, though that was relaxed and is not durable yet",
       ("store/committer.c", """\
	if (b->change_count == 0 && !(b->durable && c->unsynced))
		return 0;
""", """\
	if (b->change_count == 0)
		return 0;
"""))
