use crate::data_structure::queue::Queue;

pub struct TwoStacksQueue<T> {
    s1: Vec<T>,
    s2: Vec<T>,
}

impl<T> TwoStacksQueue<T> {
    pub fn new() -> Self {
        Self {
            s1: Vec::<T>::new(),
            s2: Vec::<T>::new(),
        }
    }

    pub fn with_capacity(size: usize) -> Self {
        Self {
            s1: Vec::<T>::with_capacity(size),
            s2: Vec::<T>::with_capacity(size),
        }
    }

    fn rebalance(&mut self) {
        while self.s1.len() > 0 {
            self.s2.push(self.s1.pop().unwrap());
        }
    }
}

impl<T> Queue<T> for TwoStacksQueue<T> {
    fn push_back(&mut self, item: T) {
        self.s1.push(item)
    }

    fn pop_front(&mut self) -> Option<T> {
        if self.s2.is_empty() {
            self.rebalance();
        }

        self.s2.pop()
    }

    fn front(&self) -> Option<&T> {
        if !self.s2.is_empty() {
            return self.s2.last();
        }

        self.s1.first()
    }

    fn is_empty(&self) -> bool {
        self.s1.is_empty() && self.s2.is_empty()
    }
}
