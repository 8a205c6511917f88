-- What the program said, line by line.
select words from said order by line
