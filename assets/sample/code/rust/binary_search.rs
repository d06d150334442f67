fn binary_search_util<T>(list: &[T], element: &T, start: isize, end: isize) -> bool
where
    T: PartialOrd,
{
    if end < start {
        return false;
    }
    let mid = start + (end - start) / 2;
    if &list[mid as usize] == element {
        return true;
    }
    if list[mid as usize].gt(element) {
        return binary_search_util(list, element, start, mid - 1);
    }
    binary_search_util(list, element, mid + 1, end)
}

pub fn search<T>(list: &[T], element: &T) -> bool
where
    T: PartialOrd,
{
    !list.is_empty() && binary_search_util(list, element, 0, (list.len() - 1) as isize)
}

fn search_rotated_util<T>(list: &[T], element: &T, start: usize, end: usize) -> bool
where
    T: PartialOrd,
{
    if start > end {
        return false;
    }
    let mid = (start + end) / 2;
    if &list[mid] == element {
        return true;
    }

    if list[mid] < list[end] {
        return if &list[mid] < element && element <= &list[end] {
            search_rotated_util(list, element, mid + 1, end)
        } else {
            search_rotated_util(list, element, start, mid - 1)
        };
    }
    if &list[start] <= element && element <= &list[mid] {
        search_rotated_util(list, element, start, mid - 1)
    } else {
        search_rotated_util(list, element, mid + 1, end)
    }
}

// [6, 7, 1, 2, 3, 4, 5]
pub fn search_rotated<T>(list: &[T], element: &T) -> bool
where
    T: PartialOrd,
{
    if list.is_empty() {
        return false;
    }

    search_rotated_util(list, element, 0, list.len() - 1)
}
