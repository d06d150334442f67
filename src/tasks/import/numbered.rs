//! Which row each line of a table is of, where the lines say it themselves.
//!
//! Invariant: numbers that only grow leave the lines as they are: they may be those of another file, or count from 1.

/// Names of a field that numbers rows, the likeliest first; another meaning of the first is no accident of naming.
pub(super) const NAMES: [&str; 2] = ["row", "index"];

/// The place of each line, as the lines tell it; `None` where they are in order or say nothing. Each is given with its number in the file,
/// from 1.
///
/// # Errors
/// What is wrong with them, with the line.
pub(super) fn places(lines: &[(usize, Option<u64>)]) -> Result<Option<Vec<usize>>, String> {
    if lines.iter().all(|(_, row)| row.is_none()) {
        return Ok(None);
    }
    if lines.iter().all(|(_, row)| row.is_some()) && lines.is_sorted_by(|a, b| a.1 < b.1) {
        return Ok(None);
    }
    let count = lines.len();
    let mut first: Vec<Option<usize>> = vec![None; count];
    let mut places = Vec::with_capacity(count);
    for &(line, row) in lines {
        let row = row.ok_or_else(|| format!("line {line} does not say which row it is of, as others do"))?;
        let place = usize::try_from(row).ok().filter(|&place| place < count);
        let place = place.ok_or_else(|| {
            format!("line {line} is of row {row}, but the last of {count} vectors is row {}", count.saturating_sub(1))
        })?;
        if let Some(before) = first[place].replace(line) {
            return Err(format!("line {line} is of row {row}, as line {before} is"));
        }
        places.push(place);
    }
    Ok(Some(places))
}

/// The first row that no line is of, where they say and are too few.
pub(super) fn lacks(lines: &[(usize, Option<u64>)], count: usize) -> Option<u64> {
    let mut said: Vec<u64> = lines.iter().filter_map(|&(_, row)| row).collect();
    said.sort_unstable();
    said.dedup();
    let within = said.len() == lines.len() && said.last().is_some_and(|&last| last < count as u64);
    let all = 0..count as u64;
    all.zip(said.iter().map(Some).chain(std::iter::repeat(None)))
        .find(|(row, said)| Some(row) != *said)
        .map(|(row, _)| row)
        .filter(|_| within)
}

/// What is in the place of each, in order.
pub(super) fn sorted<T>(all: Vec<T>, places: &[usize]) -> Vec<T> {
    let mut sorted: Vec<(usize, T)> = places.iter().copied().zip(all).collect();
    sorted.sort_unstable_by_key(|(place, _)| *place);
    sorted.into_iter().map(|(_, one)| one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(rows: &[Option<u64>]) -> Vec<(usize, Option<u64>)> {
        rows.iter().enumerate().map(|(at, &row)| (at + 2, row)).collect()
    }

    #[test]
    fn lines_are_paired_by_their_rows_or_told() {
        let of = |rows: &[u64]| places(&lines(&rows.iter().copied().map(Some).collect::<Vec<_>>()));
        assert_eq!(of(&[2, 0, 1]).unwrap().unwrap(), [2, 0, 1]);
        assert_eq!(sorted(vec!["c", "a", "b"], &[2, 0, 1]), ["a", "b", "c"]);
        // In order, counted from 1, or of a file that had more rows.
        for rows in [[0, 1, 2], [1, 2, 3], [0, 2, 7]] {
            assert_eq!(of(&rows).unwrap(), None);
        }
        assert_eq!(places(&lines(&[None, None])).unwrap(), None);
        assert_eq!(of(&[1, 0, 1]).unwrap_err(), "line 4 is of row 1, as line 2 is");
        assert_eq!(of(&[3, 0, 1]).unwrap_err(), "line 2 is of row 3, but the last of 3 vectors is row 2");
        let gap = places(&lines(&[Some(0), None])).unwrap_err();
        assert_eq!(gap, "line 3 does not say which row it is of, as others do");
        assert_eq!(lacks(&lines(&[Some(3), Some(0), Some(1)]), 4), Some(2));
        assert_eq!((lacks(&lines(&[Some(9)]), 4), lacks(&lines(&[None]), 4)), (None, None));
    }
}
